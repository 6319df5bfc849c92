import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { until } from '../../test/until.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { lostPod } from './pods.ts';

const NODE: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-1' } };

const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'users-postgres-0', namespace: 'default' },
  spec: {
    nodeName: 'worker-1',
    automountServiceAccountToken: false,
    containers: [{ name: 'main', image: 'none' }],
    terminationGracePeriodSeconds: 1,
  },
};

const WATCHFUL = ['--node-monitor-period=1s', '--node-monitor-grace-period=3s'];

let server: ApiServer;
before(async () => {
  server = await startApiServer({ controllerManager: WATCHFUL });
});
after(() => server?.stop());

test('a pod whose node falls silent is lost, by what the controllers of Kubernetes make of it', async () => {
  const { adminClient } = server;
  const says = async (object: KubeObject, status: object) => {
    await adminClient.mergePatch(refOf(object), { status }, { subresource: 'status' });
  };
  const lost = async (now = new Date()) => {
    const pod = await adminClient.get<V1Pod & KubeObject>(refOf(POD));
    return pod && lostPod([pod], now);
  };
  await adminClient.create(NODE);
  const create = () => adminClient.create(POD).then(Boolean, () => false);
  await until('the namespace takes pods', create, { ms: 60_000 });
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' }));
  await says(POD, { phase: 'Running', conditions });
  const time = new Date().toISOString();
  const heard = { lastHeartbeatTime: time, lastTransitionTime: time };
  await says(NODE, { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', ...heard }] });
  assert.equal(await lost(), undefined);

  await until('the node counts as lost', async () => (await lost()) !== undefined, { ms: 60_000 });
  await adminClient.delete(refOf(POD));
  assert.equal(await lost(), undefined, 'it has time to end');
  const check = await lost(new Date(Date.now() + 5 * 60_000));
  assert.match(JSON.stringify(check), /NodeLost.*users-postgres-0: its node worker-1/);
});

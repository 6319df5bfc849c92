import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import type { KubeObject } from '../kube/object.ts';

const NODES = [0, 1, 2];
/** A node counts only when it has been ready for some seconds. */
const LONG_AGO = '2026-01-01T00:00:00Z';
const name = (ordinal: number) => `ring-cassandra-${ordinal}`;

describe('a ring whose nodes all fell over, with the controllers of Kubernetes at work', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer({ controllerManager: true });
    await serve(server);
  });
  after(() => server?.stop());

  const ref = (ordinal: number) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: NAMESPACE,
    name: name(ordinal),
  });
  const pod = (ordinal: number) => server.adminClient.get<KubeObject>(ref(ordinal));
  const uids = () => Promise.all(NODES.map(async (ordinal) => (await pod(ordinal))?.metadata.uid));

  /** What the kubelet would say of a pod. */
  async function say(ordinal: number, ready: 'True' | 'False'): Promise<void> {
    const condition = { type: 'Ready', status: ready, lastTransitionTime: LONG_AGO };
    const status = { phase: 'Running', conditions: [condition] };
    await server.adminClient.mergePatch(ref(ordinal), { status }, { subresource: 'status' });
  }

  const ring = (memory: string) => ({
    cassandra: { replicationFactor: 1, managed: { replicas: 3, resources: { limits: { memory } } } },
  });

  test('is corrected node by node, from the first one on', async () => {
    const scene = new Scene(server.adminClient, 'ring');
    await scene.apply(ring('3Gi'));
    await scene.reconcile();
    for (const ordinal of NODES) {
      await until(`pod ${ordinal} is there`, async () => !!(await pod(ordinal)), { ms: 30_000 });
      await say(ordinal, 'True');
    }
    for (const ordinal of NODES) await say(ordinal, 'False');
    await scene.apply(ring('5Gi'));
    for (const ordinal of NODES) {
      const before = await uids();
      const isAnother = async () => {
        const [was, is] = [before[ordinal], (await uids())[ordinal]];
        return is !== undefined && is !== was;
      };
      await until(`pod ${ordinal} is another`, () => scene.reconcile().then(isAnother), { ms: 30_000 });
      await scene.reconcile();
      const changed = (await uids()).flatMap((uid, at) => (uid === before[at] ? [] : [at]));
      assert.deepEqual(changed, [ordinal]);
      assert.match(JSON.stringify((await pod(ordinal))?.['spec']), /"memory":"5Gi"/);
      await say(ordinal, 'True');
    }
  });
});

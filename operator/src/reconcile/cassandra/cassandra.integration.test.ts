import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../../test/pipelines.ts';
import { Scene } from '../../../test/scene.ts';
import type { Exec } from '../../kube/exec.ts';
import { POD, SECRET, STATEFUL_SET, VOLUME_CLAIM } from '../../kube/kinds.ts';
import { type KubeObject, refOf } from '../../kube/object.ts';
import { labels } from '../../specs/meta.ts';
import type { Leaving } from './ring.ts';
import { readUpkeep, writeUpkeep } from './upkeep.ts';

const address = (ordinal: number) => `10.0.0.${ordinal + 1}`;
const hostId = (ordinal: number) => `ce1d882a-219d-40d9-8436-ad051f7c32b${ordinal}`;

/** A ring as its nodes tell of it when they are asked, which the test decides. */
class Ring {
  readonly asked: string[] = [];
  listed: number[];
  copies = 1;
  /** The nodes that the others see leaving. */
  leaving: number[] = [];
  /** The nodes that are doing what they were asked to do, those that have done it, and those that can't be asked. */
  busy: number[] = [];
  done: number[] = [];
  mute: number[] = [];

  constructor(nodes: number) {
    this.listed = Array.from({ length: nodes }, (_, ordinal) => ordinal);
  }

  exec: Exec = async ({ pod }, [, script = '', ...args]) => {
    const node = Number(pod.slice(-1));
    this.asked.push(`${node} ${args.join(' ')}`);
    if (this.mute.includes(node)) return { code: 137, stdout: '', stderr: 'Killed' };
    const stdout = script.endsWith('operation.sh') ? this.#operate(node, args) : this.#tell(args);
    return { code: 0, stdout, stderr: '' };
  };

  #operate(node: number, [, command]: string[]): string {
    if (this.done.includes(node)) return 'done';
    if (command) this.busy.push(node);
    return this.busy.includes(node) ? 'running' : 'none';
  }

  #tell([command]: string[]): string {
    if (command === 'describecluster')
      return `Keyspaces:\n\tuserstream -> Replication class: NetworkTopologyStrategy {dc1=${this.copies}}\n`;
    const state = (ordinal: number) => (this.leaving.includes(ordinal) ? 'UL' : 'UN');
    return this.listed
      .map((node) => `${state(node)}  ${address(node)}  1 KiB  16  50%  ${hostId(node)}  rack1\n`)
      .join('');
  }
}

const cassandra = (replicas: number, replicationFactor: number, interval = '168h') => ({
  cassandra: { replicationFactor, managed: { replicas, repair: { interval } } },
});

describe('a ring, on a real API server', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  const get = (kind: string, name: string) =>
    server.adminClient.get<KubeObject>({ apiVersion: 'v1', kind, namespace: NAMESPACE, name });

  const upkeep = async (name: string) =>
    readUpkeep((await get('ConfigMap', `${name}-cassandra`))?.metadata.annotations, { nodes: 0, copies: 0 });

  const condition = async (scene: Scene) => {
    const { conditions = [] } = await scene.status();
    const { status, reason } = conditions.find(({ type }) => type === 'CassandraReady') ?? {};
    return `${status} ${reason}`;
  };

  async function setPod(name: string, ordinal: number, ready: 'True' | 'False'): Promise<void> {
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, name: `${name}-cassandra-${ordinal}` };
    const conditions = [{ type: 'Ready', status: ready }];
    const status = {
      phase: 'Running',
      podIP: address(ordinal),
      podIPs: [{ ip: address(ordinal) }],
      conditions,
    };
    await server.adminClient.mergePatch(pod, { status }, { subresource: 'status' });
  }

  const metadataOf = (name: string, ordinal: number) => ({
    namespace: NAMESPACE,
    name: `${name}-cassandra-${ordinal}`,
    labels: labels({ namespace: NAMESPACE, name }, 'cassandra'),
  });

  /** The volume of a node, which has come about. */
  async function makeVolume(name: string, ordinal: number): Promise<KubeObject> {
    const metadata = metadataOf(name, ordinal);
    const spec = {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '20Gi' } },
      volumeName: `volume-of-${metadata.name}`,
    };
    const claim = { ...VOLUME_CLAIM, metadata: { ...metadata, name: `data-${metadata.name}` }, spec };
    return await server.adminClient.apply(claim, { fieldManager: 'test' });
  }

  /** A pod of the ring with its volume, as the StatefulSet's controller and the kubelet would make them. */
  async function makePod(name: string, ordinal: number): Promise<void> {
    const containers = [{ name: 'cassandra', image: 'cassandra:5.0' }];
    const pod = { ...POD, metadata: metadataOf(name, ordinal), spec: { containers } };
    await server.adminClient.apply(pod, { fieldManager: 'test' });
    await makeVolume(name, ordinal);
    await setPod(name, ordinal, 'True');
  }

  /** A pipeline that runs, with a ring of so many nodes and one copy of each row. */
  async function running(name: string, nodes: number, interval?: string): Promise<[Scene, Ring]> {
    const scene = new Scene(server.adminClient, name);
    const ring = new Ring(nodes);
    await scene.apply(cassandra(nodes, 1, interval));
    await scene.reconcile();
    await scene.provisioned();
    for (const ordinal of ring.listed) await makePod(name, ordinal);
    while ((await scene.reason()) !== 'Running') {
      await scene.settle();
      await scene.reconcile();
    }
    return [scene, ring];
  }

  test('that holds no data yet is as large as it is wanted, at once', async () => {
    const scene = new Scene(server.adminClient, 'empty');
    await scene.apply(cassandra(3, 1));
    await scene.reconcile();
    await scene.apply(cassandra(1, 1));
    await scene.settle();
    await scene.reconcile();
    assert.equal(await scene.replicas('cassandra'), 1);
  });

  test('that holds no data yet lets its second node leave, though the first one restarts', async () => {
    const scene = new Scene(server.adminClient, 'formed');
    await scene.apply(cassandra(2, 1));
    await scene.reconcile();
    for (const ordinal of [0, 1]) await makePod('formed', ordinal);
    await setPod('formed', 0, 'False');
    await scene.apply(cassandra(1, 1));
    await scene.settle();
    await scene.reconcile();
    assert.equal(await scene.replicas('cassandra'), 2);
    assert.equal(await condition(scene), 'False ScalingIn');
  });

  test('that holds data gets no other password in the place of one that was lost, and goes on with it put back', async () => {
    const [scene] = await running('locked', 1);
    const { data, metadata, ...secret } = (await get('Secret', 'locked-cassandra')) ?? ({} as KubeObject);
    const { name, namespace, labels } = metadata;
    await server.adminClient.delete({ ...secret, namespace: NAMESPACE, name });
    await scene.reconcile({ password: () => 'another' });
    assert.equal(await condition(scene), 'False PasswordLost');
    assert.equal((await scene.status()).conditions?.find(({ type }) => type === 'Stalled')?.status, 'True');
    assert.equal(await get('Secret', name), undefined);
    const back = { ...secret, metadata: { name, namespace: namespace ?? '', labels: labels ?? {} }, data };
    await server.adminClient.apply(back, { fieldManager: 'test' });
    await scene.reconcile();
    assert.equal(await condition(scene), 'True Ready');
    assert.deepEqual((await get('Secret', name))?.['data'], data);
  });

  test('lets a node stream its data away before its pod and its volume go, whatever is wanted meanwhile', async () => {
    const [scene, ring] = await running('shrinks', 2);
    const { exec } = ring;
    await scene.apply(cassandra(1, 1));
    await scene.reconcile({ exec });
    assert.equal(await condition(scene), 'False Decommissioning');
    assert.deepEqual(ring.asked, ['0 status', '0 describecluster', '1 decommission decommission']);
    assert.deepEqual((await upkeep('shrinks')).leaving, { node: 1, hostId: hostId(1) });
    await scene.apply(cassandra(2, 1));
    await scene.reconcile({ exec });
    assert.equal(await condition(scene), 'False Decommissioning');
    assert.equal(await scene.replicas('cassandra'), 2);
    const volume = () => get('PersistentVolumeClaim', 'data-shrinks-cassandra-1');
    assert.equal((await volume())?.metadata.deletionTimestamp, undefined);
    ring.listed = [0];
    await setPod('shrinks', 1, 'False');
    await scene.reconcile({ exec });
    assert.equal(await scene.replicas('cassandra'), 1);
    assert.notEqual((await volume())?.metadata.deletionTimestamp, undefined);
    await scene.settle();
    await scene.reconcile({ exec });
    assert.equal(await scene.replicas('cassandra'), 2, 'a new node takes its place');
    assert.equal((await upkeep('shrinks')).leaving, undefined, 'and may stay');
  });

  test('has all of its nodes still, and nothing to clean up, though its StatefulSet was edited', async () => {
    const [scene] = await running('edited', 2);
    const set = { ...STATEFUL_SET, namespace: NAMESPACE, name: 'edited-cassandra' };
    await server.adminClient.mergePatch(set, { spec: { replicas: 1 } });
    await scene.reconcile();
    assert.equal(await scene.replicas('cassandra'), 2);
    assert.equal((await upkeep('edited')).nodes, 2);
    assert.equal((await upkeep('edited')).task, undefined);
  });

  test('keeps all of its nodes, and who is leaving, though its StatefulSet and its pods are gone', async () => {
    const [scene, { exec }] = await running('bereft', 2);
    await scene.apply(cassandra(1, 1));
    await scene.reconcile({ exec });
    const gone = [
      { ...STATEFUL_SET, name: 'bereft-cassandra' },
      { ...POD, name: 'bereft-cassandra-0' },
      { ...POD, name: 'bereft-cassandra-1' },
    ];
    for (const object of gone) await server.adminClient.delete({ ...object, namespace: NAMESPACE });
    await scene.reconcile({ exec });
    assert.equal(await condition(scene), 'False ScalingIn');
    assert.equal(await scene.replicas('cassandra'), 2);
    assert.deepEqual((await upkeep('bereft')).leaving, { node: 1, hostId: hostId(1) });
  });

  test('takes up all nodes whose volumes a pipeline of its name has left, whatever is wanted', async () => {
    const volumes = await Promise.all([0, 1].map((ordinal) => makeVolume('heir', ordinal)));
    for (const volume of volumes)
      await server.adminClient.mergePatch(
        refOf(volume),
        { status: { phase: 'Bound' } },
        { subresource: 'status' },
      );
    const { labels: own } = metadataOf('heir', 0);
    const metadata = { namespace: NAMESPACE, name: 'heir-cassandra', labels: own };
    await server.adminClient.create({ ...SECRET, metadata, data: { password: 'b2xk' } });
    const scene = new Scene(server.adminClient, 'heir');
    await scene.apply(cassandra(1, 1));
    await scene.reconcile({ now: () => new Date(Date.now() + 60_000) });
    assert.equal(await scene.replicas('cassandra'), 2);
  });

  test('takes the volume of a node that has left, though its labels are gone', async () => {
    const [scene, ring] = await running('unlabelled', 2);
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: NAMESPACE };
    const ref = { ...claim, name: 'data-unlabelled-cassandra-1' };
    await server.adminClient.mergePatch(ref, { metadata: { labels: null } });
    await scene.apply(cassandra(1, 1));
    ring.listed = [0];
    await setPod('unlabelled', 1, 'False');
    await scene.reconcile({ exec: ring.exec });
    assert.equal(await scene.replicas('cassandra'), 1);
    const { metadata } = (await server.adminClient.get(ref)) ?? {};
    assert.ok(!metadata || metadata.deletionTimestamp, 'it goes');
  });

  test('keeps a node while a keyspace has as many copies as there are nodes', async () => {
    const [scene, ring] = await running('crowded', 2);
    ring.copies = 2;
    await scene.apply(cassandra(1, 1));
    await scene.reconcile({ exec: ring.exec });
    assert.equal(await condition(scene), 'False ScalingIn');
    assert.equal((await upkeep('crowded')).leaving, undefined, 'it has not begun to leave');
    ring.copies = 1;
    await scene.reconcile({ exec: ring.exec });
    assert.equal(await condition(scene), 'False Decommissioning');
  });

  test('is corrected while its first node can not be asked about one that is to leave', async () => {
    const [scene] = await running('mute', 2);
    const exec: Exec = async () => ({ code: 137, stdout: '', stderr: 'Killed' });
    const corrected = { replicas: 1, resources: { limits: { memory: '5Gi' } } };
    await scene.apply({ cassandra: { replicationFactor: 1, managed: corrected } });
    await scene.reconcile({ exec });
    assert.equal(await condition(scene), 'False NodeUnreachable');
    assert.equal(await scene.replicas('cassandra'), 2);
    assert.match(JSON.stringify(await scene.workload('cassandra')), /"memory":"5Gi"/);
  });

  /** A ring of two in which it is noted that the second node leaves. */
  async function noted(name: string, leaving: Leaving): Promise<[Scene, Ring, string[]]> {
    const [scene, ring] = await running(name, 2);
    const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: `${name}-cassandra` };
    const annotations = writeUpkeep({ nodes: 2, copies: 1, leaving });
    await server.adminClient.mergePatch(config, { metadata: { annotations } });
    return [scene, ring, []];
  }

  test('keeps a node of which it is noted that it leaves, where that is not so', async () => {
    const [scene, { exec, asked }, events] = await noted('forged', { node: 1, hostId: hostId(0) });
    await scene.reconcile({ exec, record: (_, { reason }) => void events.push(reason) });
    assert.equal(await condition(scene), 'True Ready');
    assert.deepEqual(asked, ['0 status']);
    assert.deepEqual(events, ['NoteIgnored']);
    assert.equal((await upkeep('forged')).leaving, undefined);
  });

  test('keeps a node that was to leave, has not begun to, and is wanted again', async () => {
    const [scene, { exec, asked }, events] = await noted('recalled', { node: 1, hostId: hostId(1) });
    await scene.reconcile({ exec, record: (_, { reason }) => void events.push(reason) });
    assert.equal(await condition(scene), 'True Ready');
    assert.deepEqual(asked, ['0 status', '1 decommission']);
    assert.deepEqual(events, ['NodeStays']);
    assert.equal((await upkeep('recalled')).leaving, undefined);
  });

  test('is corrected while nobody knows whether a node has begun to leave', async () => {
    const [scene, ring] = await noted('unknown', { node: 1, hostId: hostId(1) });
    ring.mute = [1];
    const corrected = { replicas: 2, resources: { limits: { memory: '5Gi' } } };
    await scene.apply({ cassandra: { replicationFactor: 1, managed: corrected } });
    await scene.reconcile(ring);
    assert.equal(await condition(scene), 'False ScalingIn');
    assert.match(JSON.stringify(await scene.workload('cassandra')), /"memory":"5Gi"/);
    assert.deepEqual((await upkeep('unknown')).leaving, { node: 1, hostId: hostId(1) });
    ring.mute = [];
    await scene.settle();
    await scene.reconcile(ring);
    assert.equal((await upkeep('unknown')).leaving, undefined);
  });

  test('is corrected before a node that fails to leave is asked again', async () => {
    const [scene, ring] = await running('corrected', 2);
    const refuses: Exec = async (target, command) =>
      command.length > 3
        ? { code: 0, stdout: 'failed\nno space left', stderr: '' }
        : await ring.exec(target, command);
    await scene.apply(cassandra(1, 1));
    await scene.reconcile({ exec: refuses });
    assert.equal(await condition(scene), 'False Decommissioning');
    const version = async () => (await get('ConfigMap', 'corrected-cassandra'))?.metadata.resourceVersion;
    const before = await version();
    await scene.reconcile({ exec: refuses });
    assert.equal(await version(), before, 'nothing is written while it is tried again');
    const corrected = { replicas: 1, resources: { limits: { memory: '5Gi' } } };
    await scene.apply({ cassandra: { replicationFactor: 1, managed: corrected } });
    await scene.reconcile({ exec: refuses });
    assert.equal(await condition(scene), 'False ScalingIn');
    assert.match(JSON.stringify(await scene.workload('cassandra')), /"memory":"5Gi"/);
  });

  test('is left as it is while a node streams, though the operator did not see it begin', async () => {
    const [scene, ring] = await noted('streaming', { node: 1, hostId: hostId(1) });
    Object.assign(ring, { leaving: [1], mute: [] });
    const changed = { replicas: 2, resources: { limits: { memory: '5Gi' } } };
    await scene.apply({ cassandra: { replicationFactor: 1, managed: changed } });
    await scene.reconcile(ring);
    assert.equal(await condition(scene), 'False Decommissioning');
    assert.ok(!/"memory":"5Gi"/.test(JSON.stringify(await scene.workload('cassandra'))));
  });

  test('keeps a node while another one is away', async () => {
    const [scene, ring] = await running('waits', 3);
    ring.listed = [0, 2, 7];
    await scene.apply(cassandra(2, 1));
    await scene.reconcile({ exec: ring.exec });
    assert.equal(await condition(scene), 'False ScalingIn');
    assert.deepEqual(ring.asked, ['0 status']);
    assert.equal(await scene.replicas('cassandra'), 3);
  });

  test('fills new copies node by node once the keyspace has them', async () => {
    const [scene, ring] = await running('filled', 2);
    const { exec } = ring;
    await scene.apply(cassandra(2, 2));
    await scene.reconcile({ exec });
    assert.equal(await condition(scene), 'False Replicating');
    ring.copies = 2;
    const seen: string[] = [];
    for (const done of [[], [0], [0, 1]]) {
      ring.done = done;
      ring.asked.length = 0;
      await scene.reconcile({ exec });
      const asked = ring.asked.filter((command) => command.endsWith('repair --full'));
      seen.push(`${asked.map((command) => command[0])} ${await condition(scene)}`);
    }
    assert.deepEqual(seen, ['0 False Repairing', '0,1 False Repairing', '1 True Ready']);
    const { copies, repairedAt, task } = await upkeep('filled');
    assert.deepEqual([copies, task], [2, undefined]);
    assert.ok(repairedAt);
  });

  test('is filled and cleaned up once where what is known of it is lost', async () => {
    const [scene, ring] = await running('forgotten', 2);
    await scene.apply(cassandra(2, 2));
    Object.assign(ring, { copies: 2, done: [0, 1] });
    const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'forgotten-cassandra' };
    await server.adminClient.delete(config);
    await scene.reconcile(ring);
    assert.match(ring.asked.join(), /^0 describecluster,0 fill-.*,1 fill-.*,0 cleanup-.*,1 cleanup-/);
    assert.equal(await condition(scene), 'True Ready');
    ring.asked.length = 0;
    await scene.reconcile(ring);
    assert.deepEqual(ring.asked, []);
    assert.ok((await upkeep('forgotten')).repairedAt);
  });

  test('is repaired when it is time, and stays Ready', async () => {
    const [scene, ring] = await running('repaired', 1, '1h');
    const now = () => new Date(Date.now() + 2 * 3_600_000);
    await scene.reconcile({ exec: ring.exec, now });
    assert.equal(await condition(scene), 'True Repairing');
    assert.equal(await scene.reason(), 'Running');
    assert.match(ring.asked.join(), /^0 repair-\d+ repair --full -pr userstream$/);
    ring.done = [0];
    await scene.reconcile({ exec: ring.exec, now });
    assert.equal(await condition(scene), 'True Ready');
    assert.equal(ring.asked.length, 2);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  departure,
  gone,
  type Leaving,
  parseCopies,
  parseStatus,
  type RingNode,
  type RingPod,
} from './ring.ts';

const STATUS = `21:22:05.468 INFO something that the tool logs
Datacenter: dc1
===============
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load        Tokens  Owns (effective)  Host ID                               Rack
UN  10.1.0.5   114.36 KiB  16      66.7%             ce1d882a-219d-40d9-8436-ad051f7c32bd  rack1
DN  10.1.0.6   ?           16      66.7%             7f4ef5c8-0f54-4f3e-9f2b-96a5a1f1a7c4  rack1
UL  fd00::7    9.1 MiB     16      66.7%             0d3a3c0e-7d8f-4dbb-8f4a-7ea7c8f55d10  rack1

`;

test('nodetool status names each node with its state', () => {
  assert.deepEqual(parseStatus(STATUS), [
    { address: '10.1.0.5', hostId: 'ce1d882a-219d-40d9-8436-ad051f7c32bd', up: true, state: 'Normal' },
    { address: '10.1.0.6', hostId: '7f4ef5c8-0f54-4f3e-9f2b-96a5a1f1a7c4', up: false, state: 'Normal' },
    { address: 'fd00::7', hostId: '0d3a3c0e-7d8f-4dbb-8f4a-7ea7c8f55d10', up: true, state: 'Leaving' },
  ]);
});

test('nodetool describecluster tells how many copies each keyspace has', () => {
  const text = `Data Centers:
\tdc1 #Nodes: 1 #Down: 0

Keyspaces:
\tsystem_auth -> Replication class: SimpleStrategy {replication_factor=1}
\tuserstream -> Replication class: NetworkTopologyStrategy {dc1=3}
\tsystem_schema -> Replication class: LocalStrategy {}
`;
  assert.deepEqual(Object.fromEntries(parseCopies(text)), {
    system_auth: 1,
    userstream: 3,
    system_schema: 0,
  });
});

const node = (address: string, state: RingNode['state'] = 'Normal', up = true): RingNode => ({
  address,
  hostId: `id-${address}`,
  up,
  state,
});
const pod = (ordinal: number, address: string | undefined, ready = true): RingPod => ({
  ordinal,
  address,
  ready,
});

describe('a note that the third node leaves', () => {
  const ring = [node('a'), node('b'), node('c')];
  const pods = [pod(0, 'a'), pod(1, 'b'), pod(2, 'c')];
  const note = { node: 2, hostId: 'id-c' };
  const cases: { name: string; ring?: RingNode[]; pods?: RingPod[]; note?: Leaving; far: string }[] = [
    { name: 'is of no effect yet while it is a member', far: 'stays' },
    { name: 'nor while it is down', ring: [...ring.slice(0, 2), node('c', 'Normal', false)], far: 'stays' },
    { name: 'nor while its pod is back elsewhere', pods: [...pods.slice(0, 2), pod(2, 'd')], far: 'stays' },
    { name: 'is true while it leaves', ring: [...ring.slice(0, 2), node('c', 'Leaving')], far: 'leaves' },
    { name: 'is true when nobody lists it', ring: ring.slice(0, 2), far: 'hasLeft' },
    { name: 'without a pod, too', ring: ring.slice(0, 2), pods: pods.slice(0, 2), far: 'hasLeft' },
    { name: 'is not true of another pod', note: { node: 1, hostId: 'id-b' }, far: 'isAnother' },
    { name: 'nor of a node that stays', note: { node: 2, hostId: 'id-a' }, far: 'isAnother' },
    { name: 'nor of one that the pod is not', note: { node: 2, hostId: 'id-x' }, far: 'isAnother' },
  ];
  for (const { name, far, ...scene } of cases)
    test(name, () => {
      const seen = { ring, pods, note, ...scene };
      assert.equal(gone(seen.ring, seen.pods, 3, seen.note), far);
    });
});

describe('the departure of the third node', () => {
  const two = [node('a'), node('b')];
  const pods = [pod(0, 'a'), pod(1, 'b'), pod(2, 'c')];
  const cases: { name: string; ring: RingNode[]; pods: RingPod[]; state: string }[] = [
    { name: 'may begin when all are up', ring: [...two, node('c')], pods, state: 'mayLeave' },
    { name: 'goes on while it is leaving', ring: [...two, node('c', 'Leaving')], pods, state: 'mayLeave' },
    {
      name: 'is over when the others do not list it, though its pod falls over again and again',
      ring: two,
      pods: [...pods.slice(0, 2), pod(2, 'c', false)],
      state: 'left',
    },
    {
      name: 'is over when it has no pod and is in no list',
      ring: two,
      pods: pods.slice(0, 2),
      state: 'left',
    },
    {
      name: 'is over where nobody but the first ever joined',
      ring: [node('a')],
      pods: [pod(0, 'a'), pod(1, undefined, false)],
      state: 'left',
    },
    { name: 'is not over while it serves clients', ring: two, pods, state: 'waits' },
    {
      name: 'waits for a node that is down',
      ring: [node('a'), node('b', 'Normal', false), node('c')],
      pods,
      state: 'waits',
    },
    {
      name: 'waits while it is down itself',
      ring: [...two, node('c', 'Leaving', false)],
      pods,
      state: 'waits',
    },
    {
      name: 'waits for a node that joins',
      ring: [node('a'), node('b', 'Joining'), node('c')],
      pods,
      state: 'waits',
    },
    { name: 'waits until it has joined', ring: [...two, node('c', 'Joining')], pods, state: 'waits' },
    {
      name: 'waits while the ring knows a pod by an address that it had before',
      ring: [node('a'), node('old'), node('c')],
      pods,
      state: 'waits',
    },
    { name: 'waits where another holds its place', ring: [...two, node('other')], pods, state: 'waits' },
    { name: 'waits where the ring knows nobody', ring: [], pods, state: 'waits' },
  ];
  for (const { name, ring, pods: present, state } of cases)
    test(name, () => assert.equal(departure(ring, present, 2).state, state));
});

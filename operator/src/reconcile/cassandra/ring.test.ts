import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { departure, parseCopies, parseStatus, type RingNode, type RingPod } from './ring.ts';

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
    { address: '10.1.0.5', up: true, state: 'Normal' },
    { address: '10.1.0.6', up: false, state: 'Normal' },
    { address: 'fd00::7', up: true, state: 'Leaving' },
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

describe('the departure of the third node', () => {
  const node = (address: string, state: RingNode['state'] = 'Normal', up = true) => ({ address, up, state });
  const pod = (ordinal: number, address: string | undefined, ready = true) => ({ ordinal, address, ready });
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

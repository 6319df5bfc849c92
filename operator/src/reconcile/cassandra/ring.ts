/** A node of the ring as another node sees it. */
export type RingNode = {
  address: string;
  /** Who it is, whatever its address. */
  hostId: string;
  up: boolean;
  state: 'Normal' | 'Leaving' | 'Joining' | 'Moving';
};

const STATES = { N: 'Normal', L: 'Leaving', J: 'Joining', M: 'Moving' } as const;

/** The nodes that `nodetool status` lists. */
export function parseStatus(text: string): RingNode[] {
  const lines = text.matchAll(/^([UD?])([NLJM])\s+(\S+)\s.*\s([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\s/gm);
  return [...lines].map(([, up, state, address = '', hostId = '']) => ({
    address,
    hostId,
    up: up === 'U',
    state: STATES[state as keyof typeof STATES],
  }));
}

/** How many copies each keyspace has, as `nodetool describecluster` says; 0 where each node has a part of its own. */
export function parseCopies(text: string): Map<string, number> {
  const keyspaces = text.matchAll(/^\s*(\w+) -> Replication class: \S+ \{(.*)\}/gm);
  return new Map(
    [...keyspaces].map(([, name = '', replication = '']) => [
      name,
      Number(/=(\d+)/.exec(replication)?.[1] ?? 0),
    ]),
  );
}

/** A pod of the ring, as far as its part in the ring goes. */
export type RingPod = { ordinal: number; address: string | undefined; ready: boolean };

/** Who is noted to be leaving: the pod by its ordinal, and the node that it was then. */
export type Leaving = { node: number; hostId: string };

/**
 * How far a node has gone that is noted to be leaving: `stays` while it is a member as any other, and `isAnother` where the
 * note can't be true of the pod.
 */
export type Gone = 'isAnother' | 'stays' | 'leaves' | 'hasLeft';

/** What the ring says of the node that a note says is leaving, which only the pod of the highest ordinal may do. */
export function gone(ring: RingNode[], pods: RingPod[], nodes: number, { node, hostId }: Leaving): Gone {
  if (node !== nodes - 1) return 'isAnother';
  const pod = pods.find(({ ordinal }) => ordinal === node);
  const others = pods.filter((each) => each !== pod).map(({ address }) => address);
  const member = ring.find((each) => each.hostId === hostId);
  if (!member) return ring.some(({ address }) => address === pod?.address) ? 'isAnother' : 'hasLeft';
  if (others.includes(member.address)) return 'isAnother';
  return member.state === 'Leaving' ? 'leaves' : 'stays';
}

/** How the departure of a node stands: it has left, it may go, or what it has to wait for. */
export type Departure =
  | { state: 'left' }
  | { state: 'mayLeave'; node: RingNode }
  | { state: 'waits'; why: string };

const waits = (why: string): Departure => ({ state: 'waits', why });

/**
 * How the departure of the node with the highest ordinal stands, judged by the ring as a node that stays sees it. It has
 * left when the ring lists nobody but the nodes that stay: a pod that lives on or comes back doesn't count.
 */
export function departure(ring: RingNode[], pods: RingPod[], leaving: number): Departure {
  const staying = pods.filter(({ ordinal }) => ordinal < leaving).map(({ address }) => address);
  const others = ring.filter(({ address }) => !staying.includes(address));
  const pod = pods.find(({ ordinal }) => ordinal === leaving);
  if (ring.length === others.length) return waits('the ring does not list its first node yet');
  const [other, ...more] = others;
  if (!other) return pod?.ready ? waits('the ring does not list it yet') : { state: 'left' };
  const down = ring.find((node) => !node.up);
  if (down)
    return waits(
      `the node at ${down.address} is down; it must be up, or be removed with nodetool removenode`,
    );
  if (more.length > 0)
    return waits(`the ring has nodes that are no pods of it: ${others.map(({ address }) => address)}`);
  if (other.address !== pod?.address) return waits(`the node at ${other.address} is not the pod's`);
  const moving = ring.find(
    (node) => node.state !== 'Normal' && !(node === other && node.state === 'Leaving'),
  );
  return moving
    ? waits(`the node at ${moving.address} is ${moving.state}`)
    : { state: 'mayLeave', node: other };
}

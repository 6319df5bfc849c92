/** A node of the ring as another node sees it. */
export type RingNode = { address: string; up: boolean; state: 'Normal' | 'Leaving' | 'Joining' | 'Moving' };

const STATES = { N: 'Normal', L: 'Leaving', J: 'Joining', M: 'Moving' } as const;

/** The nodes that `nodetool status` lists. */
export function parseStatus(text: string): RingNode[] {
  return [...text.matchAll(/^([UD?])([NLJM])\s+(\S+)\s/gm)].map(([, up, state, address = '']) => ({
    address,
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

/** How the departure of a node stands: it has left, it may go, or what it has to wait for. */
export type Departure = { state: 'left' } | { state: 'mayLeave' } | { state: 'waits'; why: string };

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
  if (others.length === 0) return pod?.ready ? waits('the ring does not list it yet') : { state: 'left' };
  const down = ring.find((node) => !node.up);
  if (down)
    return waits(
      `the node at ${down.address} is down; it must be up, or be removed with nodetool removenode`,
    );
  const [other, ...more] = others;
  if (more.length > 0)
    return waits(`the ring has nodes that are no pods of it: ${others.map(({ address }) => address)}`);
  if (other?.address !== pod?.address) return waits(`the node at ${other?.address} is not the pod's`);
  const moving = ring.find(
    (node) => node.state !== 'Normal' && !(node === other && node.state === 'Leaving'),
  );
  return moving ? waits(`the node at ${moving.address} is ${moving.state}`) : { state: 'mayLeave' };
}

import { VOLUME_CLAIM } from '../../kube/kinds.ts';
import { type Check, notReady } from '../../status/check.ts';
import { NodeError, nodetool, operation, podName } from './node.ts';
import { type Departure, departure, parseCopies, parseStatus } from './ring.ts';
import { ensureRing, type Ring } from './state.ts';
import type { Upkeep } from './upkeep.ts';

/** Whether the ring has a node too many, or one that has begun to leave. */
export function isShrinking({ nodes, wanted, upkeep }: Ring): boolean {
  return nodes > wanted.nodes || (upkeep.leaving !== undefined && upkeep.leaving === nodes - 1);
}

/** A ring without data is as many nodes smaller at once where its first node can't be asked about the others. */
async function cut(ring: Ring): Promise<Check> {
  const { wanted, upkeep } = ring;
  await ensureRing(ring, wanted.nodes, upkeep);
  return notReady('ScalingIn', `to ${wanted.nodes} nodes`);
}

/** The node has left: its volume goes first, held by its pod until that has ended, so that neither comes back alone. */
async function remove(ring: Ring, name: string): Promise<Check> {
  await ring.context.cluster.delete(VOLUME_CLAIM, `data-${name}`);
  await ensureRing(ring, ring.nodes - 1, ring.upkeep);
  return notReady('ScalingIn', `${name} has left the ring; its pod and its volume go`);
}

/** Why Cassandra would refuse to let the node go: keyspaces that need more nodes than would be left. */
async function crowded({ context, nodes }: Ring): Promise<string | undefined> {
  const copies = parseCopies(await nodetool(context, 0, 'describecluster'));
  const names = [...copies].filter(([, count]) => count >= nodes).map(([name]) => name);
  if (names.length === 0) return undefined;
  return `${names.join(', ')} would have more copies than nodes; provision lowers the pipeline's own and Cassandra's, alter any other`;
}

/** How the departure of the node with the highest ordinal stands, as the first node tells it. */
async function asTold(ring: Ring): Promise<Departure> {
  const { context, nodes, pods, upkeep } = ring;
  const how = departure(parseStatus(await nodetool(context, 0, 'status')), pods, nodes - 1);
  if (how.state !== 'mayLeave' || upkeep.leaving !== undefined) return how;
  const why = await crowded(ring);
  return why ? { state: 'waits', why } : how;
}

/** Lets the node stream its data to the others; that it is leaving is written down before it begins. */
async function drain(ring: Ring, name: string): Promise<Check> {
  const leaving = ring.nodes - 1;
  const upkeep: Upkeep = { ...ring.upkeep, leaving };
  const held = ring.context.cluster.with({ mode: 'hold' });
  await ensureRing({ ...ring, context: { ...ring.context, cluster: held } }, ring.nodes, upkeep);
  const begun = await operation(ring.context, leaving, 'decommission', ['decommission']);
  const how = begun.state === 'failed' ? `can't yet, and tries again: ${begun.why}` : 'streams its data away';
  return notReady('Decommissioning', `${name} ${how}`);
}

/**
 * Takes the node of the highest ordinal out of the ring, from wherever it has come: it streams its data to the others;
 * when they don't list it any more its volume and its pod are taken away.
 */
export async function scaleIn(ring: Ring): Promise<Check> {
  const { context, nodes, pods, upkeep } = ring;
  const name = podName(context, nodes - 1);
  if (!pods.find(({ ordinal }) => ordinal === 0)?.ready) {
    if (!ring.holdsData) return await cut(ring);
    await ensureRing(ring, nodes, upkeep);
    return notReady('ScalingIn', `${name} leaves when ${podName(context, 0)} is ready to take over data`);
  }
  const begun = upkeep.leaving === nodes - 1 && pods.find(({ ordinal }) => ordinal === nodes - 1)?.ready;
  if (begun) {
    const { state } = await operation(context, nodes - 1, 'decommission', ['decommission']);
    if (state === 'running') return notReady('Decommissioning', `${name} streams its data away`);
  }
  const how = await asTold(ring).catch(async (error) => {
    // A node that can't be asked may need what the spec corrects.
    if (error instanceof NodeError && upkeep.leaving === undefined) await ensureRing(ring, nodes, upkeep);
    throw error;
  });
  if (how.state === 'left') return await remove(ring, name);
  if (how.state === 'mayLeave') return await drain(ring, name);
  await ensureRing(ring, nodes, upkeep);
  return notReady('ScalingIn', `${name} waits to leave: ${how.why}`);
}

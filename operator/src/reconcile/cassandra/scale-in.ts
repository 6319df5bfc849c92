import { VOLUME_CLAIM } from '../../kube/kinds.ts';
import { type Check, notReady } from '../../status/check.ts';
import { statefulSetCheck } from '../workload.ts';
import { NodeError, nodetool, type Operation, operation, podName } from './node.ts';
import { departure, gone, type Leaving, parseCopies, parseStatus, type RingNode } from './ring.ts';
import { ensureRing, type Ring } from './state.ts';

const DECOMMISSION = 'decommission';

/** Whether the ring has a node too many, or one of which it is noted that it leaves. */
export function isShrinking({ nodes, wanted, upkeep }: Ring): boolean {
  return nodes > wanted.nodes || upkeep.leaving !== undefined;
}

const leaver = ({ context, nodes }: Ring) => podName(context, nodes - 1);

/** The ring without the note that a node leaves. */
export function withoutNote(ring: Ring): Ring {
  const { leaving: _, ...upkeep } = ring.upkeep;
  return { ...ring, upkeep };
}

/** Lets what the spec corrects reach the ring while no node streams; answers how its pods are then. */
async function correct(ring: Ring): Promise<Check> {
  await ensureRing(ring, ring.nodes, ring.upkeep);
  return await statefulSetCheck(ring.context, 'cassandra');
}

/** Says what the departure waits for, which a correction of the spec needn't. */
async function wait(ring: Ring, why: string, reason = 'ScalingIn'): Promise<Check> {
  const pods = await correct(ring);
  return notReady(reason, pods.ready ? why : `${why}; ${pods.message}`);
}

/** A ring that never had a second node is of its new size at once: nobody knows of those that are not to come. */
async function cut(ring: Ring): Promise<Check> {
  const { wanted, upkeep } = ring;
  await ensureRing(ring, wanted.nodes, upkeep);
  return notReady('ScalingIn', `to ${wanted.nodes} nodes`);
}

/** The node has left: its volume goes first, held by its pod until that has ended, so that neither comes back alone. */
async function remove(ring: Ring): Promise<Check> {
  const name = leaver(ring);
  // Labelled or not: a node that took up the disk of one that has left would never join.
  await ring.context.cluster.deleteWhosever(VOLUME_CLAIM, `data-${name}`);
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

/** How the node's own decommission stands; undefined where it can't be asked. */
async function asked({ context, nodes }: Ring): Promise<Operation | undefined> {
  return await operation(context, nodes - 1, DECOMMISSION).catch((error) => {
    if (error instanceof NodeError) return undefined;
    throw error;
  });
}

const streams = (ring: Ring) =>
  notReady(
    'Decommissioning',
    `${leaver(ring)} streams its data away; changes of the ring wait for that. Where it is stuck, delete the pod: it comes back as a member, and is judged anew`,
  );

/** Lets the node stream its data to the others; that it is leaving is written down before it begins. */
async function begin(ring: Ring, hostId: string): Promise<Check> {
  const upkeep = { ...ring.upkeep, leaving: { node: ring.nodes - 1, hostId } };
  const held = ring.context.cluster.with({ mode: 'hold' });
  await ensureRing({ ...ring, context: { ...ring.context, cluster: held } }, ring.nodes, upkeep);
  const begun = await operation(ring.context, ring.nodes - 1, DECOMMISSION, [DECOMMISSION]);
  if (begun.state !== 'failed') return streams(ring);
  return notReady('Decommissioning', `${leaver(ring)} can't yet, and tries again: ${begun.why}`);
}

/** One step of the departure of a node whose decommission doesn't run. What the spec corrects comes before it begins. */
async function leave(ring: Ring, seen: RingNode[]): Promise<Check> {
  const { nodes, pods } = ring;
  const how = departure(seen, pods, nodes - 1);
  if (how.state === 'left') return await remove(ring);
  if (how.state === 'waits') return await wait(ring, `${leaver(ring)} waits to leave: ${how.why}`);
  const { state, hostId } = how.node;
  if (state === 'Leaving') return await begin(ring, hostId);
  const why = await crowded(ring);
  if (why) return await wait(ring, `${leaver(ring)} waits to leave: ${why}`);
  const corrected = await correct(ring);
  if (!corrected.ready)
    return notReady('ScalingIn', `${leaver(ring)} leaves after this: ${corrected.message}`);
  return await begin(ring, hostId);
}

/** A note that isn't true of the pod is of no account. */
async function ignoreNote(
  ring: Ring,
  seen: RingNode[],
  { node, hostId }: Leaving,
): Promise<Check | undefined> {
  const message = `the note that node ${node} (${hostId}) leaves is not true of the ring, and is dropped`;
  ring.context.tell({ type: 'Warning', reason: 'NoteIgnored', action: 'ScaleIn', message });
  return ring.nodes > ring.wanted.nodes ? await leave(withoutNote(ring), seen) : undefined;
}

/** Goes on with a departure as far as it really is; what hasn't begun is called off where the node may stay. */
async function goOn(ring: Ring, seen: RingNode[], note: Leaving): Promise<Check | undefined> {
  const { context, nodes, pods, wanted } = ring;
  const far = gone(seen, pods, nodes, note);
  if (far === 'isAnother') return await ignoreNote(ring, seen, note);
  if (far === 'hasLeft') return await leave(ring, seen);
  const own = await asked(ring);
  if (own?.state === 'running') return streams(ring);
  const mayStay = nodes <= wanted.nodes && far === 'stays' && own?.state !== 'done';
  if (!mayStay) return await leave(ring, seen);
  const name = leaver(ring);
  if (!own)
    return await wait(
      ring,
      `${name} is a member of the ring still, and can't be asked whether it is about to leave: it must run for that, or be removed with nodetool removenode`,
    );
  const message = `${name} has not begun to leave, and stays`;
  context.tell({ type: 'Normal', reason: 'NodeStays', action: 'ScaleIn', message });
  return undefined;
}

/**
 * Takes the node of the highest ordinal out of the ring, from wherever it has come: it streams its data to the others;
 * when they don't list it any more its volume and its pod are taken away.
 * @returns undefined where it stays: it was noted to leave, but is not to, and has not begun
 */
export async function scaleIn(ring: Ring): Promise<Check | undefined> {
  const { context, nodes, pods, wanted, upkeep } = ring;
  if (!pods.find(({ ordinal }) => ordinal === 0)?.ready) {
    if (!ring.holdsData && !ring.formed) return await cut(ring);
    const how = nodes > wanted.nodes ? 'leaves' : 'may be leaving, which is known';
    return await wait(ring, `${leaver(ring)} ${how} when ${podName(context, 0)} is ready to take over data`);
  }
  try {
    const seen = parseStatus(await nodetool(context, 0, 'status'));
    return upkeep.leaving ? await goOn(ring, seen, upkeep.leaving) : await leave(ring, seen);
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return await wait(ring, `${error.message}; it is asked again`, 'NodeUnreachable');
  }
}

import { milliseconds } from '../../api/scalars.ts';
import { type Check, notReady, READY } from '../../status/check.ts';
import { NodeError, nodetool, operation, podName } from './node.ts';
import { parseCopies } from './ring.ts';
import { ensureRing, type Ring } from './state.ts';
import { advanced, nextTask, type Task, type TaskKind, taskCommand } from './upkeep.ts';

const REASONS: Record<TaskKind, string> = { fill: 'Repairing', cleanup: 'CleaningUp', repair: 'Repairing' };

const PURPOSES: Record<TaskKind, string> = {
  fill: 'copies to it the rows that a higher replicationFactor gives it',
  cleanup: "gives up the rows that aren't its own any more",
  repair: 'compares its rows with the other copies, as it regularly does',
};

/** A regular repair takes nothing away from a ring that is ready; after a change of the ring its rows are not yet where they belong. */
function report(ring: Ring, { kind, node, nodes }: Task, how: string): Check {
  const message = `${podName(ring.context, node)} (node ${node + 1} of ${nodes}) ${how}`;
  return kind === 'repair' ? { ...READY, reason: REASONS.repair, message } : notReady(REASONS[kind], message);
}

/** What keeps a task from being begun: there is nothing to fill before the keyspace has more copies. */
async function obstacle({ context, wanted }: Ring, task: Task): Promise<Check | undefined> {
  if (task.kind !== 'fill') return undefined;
  const { keyspace } = context.pipeline.spec.cassandra;
  const copies = parseCopies(await nodetool(context, 0, 'describecluster')).get(keyspace) ?? 0;
  if (copies >= wanted.copies) return undefined;
  const why = `keyspace ${keyspace} has ${copies} copies; provision gives it ${wanted.copies}`;
  return notReady('Replicating', why);
}

/** How the node stands whose turn it is; undefined where it has done its part. */
async function unfinished(ring: Ring, task: Task): Promise<Check | undefined> {
  const command = taskCommand(task.kind, ring.context.pipeline.spec.cassandra.keyspace);
  try {
    const found = await operation(ring.context, task.node, task.id, command);
    if (found.state === 'running') return report(ring, task, PURPOSES[task.kind]);
    return found.state === 'failed' ? report(ring, task, `failed and tries again: ${found.why}`) : undefined;
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return report(ring, task, `is asked again: ${error.message}`);
  }
}

/**
 * Does what a ring needs whose nodes are all ready, one node after the other, and goes on where it was. What is to be
 * done is written down before it is begun.
 */
export async function tend(ring: Ring): Promise<Check> {
  const { context, managed, nodes, since, wanted } = ring;
  const schedule = { since, intervalMs: milliseconds(managed.repair.interval) };
  const task = nextTask(ring.upkeep, wanted, context.now(), schedule);
  if (!task) return READY;
  if (task !== ring.upkeep.task) {
    const hindered = await obstacle(ring, task);
    if (hindered) return hindered;
    await ensureRing(ring, nodes, { ...ring.upkeep, task });
  }
  const at = await unfinished(ring, task);
  if (at) return at;
  const upkeep = advanced(ring.upkeep, task, context.now());
  await ensureRing(ring, nodes, upkeep);
  return await tend({ ...ring, upkeep });
}

import { z } from 'zod';
import { inSeconds } from '../../kube/clock.ts';
import type { Leaving } from './ring.ts';

/** What was done to the ring as a whole, and what is being done. */
export type Upkeep = {
  /** How many nodes the ring had when each last gave up the data that isn't its own any more. */
  nodes: number;
  /** How many copies the keyspace had when all of them were last filled. */
  copies: number;
  /** When all data was last repaired; undefined where it never was. */
  repairedAt?: string;
  /** The node that is to leave, or leaves. Once it has begun there is no way back. */
  leaving?: Leaving;
  task?: Task;
};

/** `fill` makes the copies that a higher replication factor adds; `repair` is the regular one. */
export type TaskKind = 'fill' | 'cleanup' | 'repair';

/** Work that each node does after the other; `node` is the ordinal of the one whose turn it is. */
export type Task = { kind: TaskKind; id: string; node: number; nodes: number; copies: number };

/** How the ring should be. */
export type Wanted = { nodes: number; copies: number };

/** Only the API server remembers it, as an annotation of the ring's ConfigMap, which outlives every StatefulSet. */
export const UPKEEP_ANNOTATION = 'userstream.dev/upkeep';

export function writeUpkeep(upkeep: Upkeep): Record<string, string> {
  return { [UPKEEP_ANNOTATION]: JSON.stringify(upkeep) };
}

const COUNT = z.int().positive();
const ORDINAL = z.int().nonnegative();

const TASK = z
  .object({
    kind: z.enum(['fill', 'cleanup', 'repair']),
    // It names a directory on the node.
    id: z.string().regex(/^[\w-]+$/),
    node: ORDINAL,
    nodes: COUNT,
    copies: COUNT,
  })
  .refine(({ node, nodes }) => node < nodes);

/** Another version may have written it otherwise: what can't be read of it is as if it weren't there. */
const UPKEEP = z.object({
  nodes: COUNT.optional().catch(undefined),
  copies: COUNT.optional().catch(undefined),
  repairedAt: z.iso.datetime().optional().catch(undefined),
  leaving: z.object({ node: ORDINAL, hostId: z.guid() }).optional().catch(undefined),
  task: TASK.optional().catch(undefined),
});

function parseUpkeep(text: string): z.infer<typeof UPKEEP> {
  try {
    return UPKEEP.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The upkeep of a ring of which nothing is known: all copies are filled, which is a repair as well, then nodes clean up. */
export const UNKNOWN: Wanted = { nodes: 1, copies: 1 };

/** What the annotation says; what it says nothing of that makes sense is as `unsaid`. */
export function readUpkeep(annotations: Record<string, string> | undefined, unsaid: Wanted): Upkeep {
  const { nodes, copies, repairedAt, leaving, task } = parseUpkeep(annotations?.[UPKEEP_ANNOTATION] ?? '');
  return {
    nodes: nodes ?? unsaid.nodes,
    copies: copies ?? unsaid.copies,
    ...(repairedAt ? { repairedAt } : {}),
    ...(leaving ? { leaving } : {}),
    ...(task ? { task } : {}),
  };
}

/** What is so where the ring has so many nodes: those that have left need nothing more. */
export function among({ leaving, ...upkeep }: Upkeep, nodes: number): Upkeep {
  const goesOn = leaving !== undefined && leaving.node < nodes;
  return { ...upkeep, nodes: Math.min(upkeep.nodes, nodes), ...(goesOn ? { leaving } : {}) };
}

/** What the ring needs now, the most urgent first. `since`: when the ring was made, for one that was never repaired. */
function due({ nodes, copies, repairedAt }: Upkeep, wanted: Wanted, now: Date, schedule: Schedule) {
  if (wanted.copies > copies) return 'fill';
  if (wanted.nodes > nodes || wanted.copies < copies) return 'cleanup';
  const repaired = Date.parse(repairedAt ?? schedule.since);
  return now.getTime() - repaired >= schedule.intervalMs ? 'repair' : undefined;
}

export type Schedule = { since: string; intervalMs: number };

/** The task under way, or the next one that is due; one that was begun on another ring begins anew. */
export function nextTask(upkeep: Upkeep, wanted: Wanted, now: Date, schedule: Schedule): Task | undefined {
  const { task } = upkeep;
  if (task && task.nodes === wanted.nodes && task.copies === wanted.copies) return task;
  const kind = due(upkeep, wanted, now, schedule);
  return kind && { kind, id: `${kind}-${now.getTime()}`, node: 0, ...wanted };
}

/** What is so after the node whose turn it is has done its part of the task. */
export function advanced({ task: _, ...upkeep }: Upkeep, task: Task, now: Date): Upkeep {
  if (task.node + 1 < task.nodes) return { ...upkeep, task: { ...task, node: task.node + 1 } };
  const repairedAt = inSeconds(now);
  if (task.kind === 'fill') return { ...upkeep, copies: task.copies, repairedAt };
  if (task.kind === 'repair') return { ...upkeep, repairedAt };
  return { ...upkeep, nodes: task.nodes, copies: task.copies };
}

/** The nodetool command by which a node does its part. */
export function taskCommand(kind: TaskKind, keyspace: string): string[] {
  const commands: Record<TaskKind, string[]> = {
    // Of every keyspace, for the roles are copied as far as the users.
    fill: ['repair', '--full'],
    cleanup: ['cleanup', keyspace],
    repair: ['repair', '--full', '-pr', keyspace],
  };
  return commands[kind];
}

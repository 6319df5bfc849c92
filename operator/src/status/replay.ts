import { replayOf } from '../api/replay.ts';
import type { Pipeline } from '../api/resource.ts';
import { type Check, READY } from './check.ts';

/** Tells of an annotation that asks for a replay and can't be understood; the stream goes on as if it weren't there. */
export function replayCheck({ annotations }: Pick<Pipeline, 'annotations'>): Check {
  const { fault } = replayOf(annotations);
  return fault ? { ready: true, reason: 'ReplayRefused', message: fault } : READY;
}

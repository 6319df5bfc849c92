import type { Condition } from '../api/status.ts';

/** While something is on its way it is looked at this often, for what no watch tells; less often the longer it takes. */
const SOON_MS = 3_000;
const LATER_MS = 20_000;
/** What is ready changes only in ways that a watch tells. */
export const READY_MS = 30 * 60_000;

/** A stage that is ready and yet has something to say: work goes on in it. */
function isBusy({ type, status, reason }: Condition): boolean {
  return type !== 'Ready' && type.endsWith('Ready') && status === 'True' && reason !== 'Ready';
}

/** How soon to look again, given since when a pipeline is or isn't ready. */
export function requeueAfterMs(conditions: Condition[], now: Date): number {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return conditions.some(isBusy) ? LATER_MS : READY_MS;
  const forMs = now.getTime() - Date.parse(ready?.lastTransitionTime ?? now.toISOString());
  return Math.min(LATER_MS, Math.max(SOON_MS, forMs / 10));
}

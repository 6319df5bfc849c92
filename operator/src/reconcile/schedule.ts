import type { Condition } from '../api/status.ts';

/** While something is on its way it is looked at this often. */
const SOON_MS = 3_000;
/** What hasn't become ready within `PATIENCE_MS` won't do so any moment. */
const LATER_MS = 20_000;
const PATIENCE_MS = 10 * 60_000;

/** How soon to look again: soon while something happens, later when all is well or nothing has for a while. */
export function requeueAfterMs(conditions: Condition[], now: Date): number {
  const ready = conditions.find(({ type }) => type === 'Ready');
  const forMs = now.getTime() - Date.parse(ready?.lastTransitionTime ?? '');
  return ready?.status === 'True' || forMs > PATIENCE_MS ? LATER_MS : SOON_MS;
}

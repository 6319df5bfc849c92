import type { Condition } from '../api/status.ts';
import { UNREACHABLE } from '../status/reports.ts';

/** While something is on its way it is looked at this often, for what no watch tells; less often the longer it takes. */
const SOON_MS = 3_000;
const LATER_MS = 20_000;
/** What is ready changes only in ways that a watch tells. */
export const READY_MS = 30 * 60_000;

/** What a stage that is ready says where no work goes on in it; whether workers can be asked is seen with their figures. */
const AT_REST = ['Ready', UNREACHABLE];

/** A stage that is ready and yet has something to say: work goes on in it. */
function isBusy({ type, status, reason }: Condition): boolean {
  return type !== 'Ready' && type.endsWith('Ready') && status === 'True' && !AT_REST.includes(reason);
}

/** How soon to look again, given since when a pipeline is or isn't ready. */
export function requeueAfterMs(conditions: Condition[], now: Date): number {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return conditions.some(isBusy) ? LATER_MS : READY_MS;
  const forMs = now.getTime() - Date.parse(ready?.lastTransitionTime ?? now.toISOString());
  return Math.min(LATER_MS, Math.max(SOON_MS, forMs / 10));
}

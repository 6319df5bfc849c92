import { type Condition, STAGES } from '../api/status.ts';
import type { EventText } from '../kube/events.ts';
import { stageReason } from './conditions.ts';
import { isFailure } from './failure.ts';

/** A condition in the words of an event; undefined for what isn't known yet, of which there is nothing to tell. */
function told({
  type,
  status,
  reason,
  message,
}: Condition): Pick<EventText, 'reason' | 'message'> | undefined {
  const stage = STAGES.find((name) => type === `${name}Ready`);
  if (type !== 'Ready' && status === 'Unknown') return undefined;
  if (!stage) return { reason, message };
  if (status === 'True' && reason === 'Ready') return { reason: type, message: `${stage} is ready` };
  return { reason: stageReason(stage, reason), message };
}

/**
 * An event for each condition whose status or reason changed. Reconciling and Stalled say the same as Ready; what stands
 * behind Stalled is a warning, and so are data that differ and a reconcile that keeps failing.
 */
export function transitions(before: Condition[], after: Condition[]): EventText[] {
  const stalled = after.find(({ type, status }) => type === 'Stalled' && status === 'True');
  const differs = after.find(({ type, status }) => type === 'DataIntact' && status === 'False');
  const changed = after.filter(({ type, status, reason }) => {
    if (type === 'Reconciling' || type === 'Stalled') return false;
    const old = before.find((condition) => condition.type === type);
    return old?.status !== status || old.reason !== reason;
  });
  const texts = changed.flatMap((condition) => told(condition) ?? []);
  const unlike = texts.filter(
    ({ reason }, index) => texts.findIndex((text) => text.reason === reason) === index,
  );
  return unlike.map(({ reason, message }) => ({
    type: isFailure(reason) || [stalled?.reason, differs?.reason].includes(reason) ? 'Warning' : 'Normal',
    reason,
    action: 'Reconcile',
    message,
  }));
}

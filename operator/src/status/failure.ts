import type { Condition } from '../api/status.ts';
import { ApiError, NoAnswerError } from '../kube/errors.ts';
import { type Check, notReady } from './check.ts';

/** Reasons under which the conditions tell that reconciling itself fails. */
const REASONS = { api: 'ApiError', own: 'OperatorError' };

const MAX_LENGTH = 2000;

/** The request that failed, how, and what a person does about it. */
function apiFailure({ code, reason, message }: ApiError): string {
  const where =
    code < 500 ? 'correct what it names' : 'see the log of the API server and its admission webhooks';
  return `the API server answers ${code} ${reason} to ${message.slice(0, MAX_LENGTH)}; ${where}`;
}

function unanswered({ message }: NoAnswerError): string {
  return `no answer to ${message.slice(0, MAX_LENGTH)}; see that the API server is well and can be reached`;
}

/** What is said of a pipeline whose reconcile fails again and again. It is tried again all the while. */
export function failureCheck(error: unknown): Check {
  const again = 'it is tried again at least once a minute';
  if (error instanceof ApiError) return notReady(REASONS.api, `${apiFailure(error)}; ${again}`);
  if (error instanceof NoAnswerError) return notReady(REASONS.api, `${unanswered(error)}; ${again}`);
  const fault = String(error).slice(0, MAX_LENGTH);
  return notReady(REASONS.own, `${fault}: a fault of the operator, whose log tells more; ${again}`);
}

/** Whether a reason is that reconciling itself fails. */
export const isFailure = (reason: string) => Object.values(REASONS).includes(reason);

/** Whether the conditions tell of a spec that reconciling it fails. */
export function tellsFailure(conditions: Condition[], generation: number | undefined): boolean {
  return conditions.some(
    ({ type, reason, observedGeneration }) =>
      type === 'Ready' && isFailure(reason) && observedGeneration === generation,
  );
}

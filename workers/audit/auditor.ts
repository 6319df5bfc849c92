import { type Figures, type Health, StageError, type Verdict } from '../lib/health.ts';
import type { Logger } from '../lib/logging.ts';
import { backoffMs, sleep } from '../lib/retry.ts';
import type { Outcome } from './audit.ts';
import type { AuditMetrics } from './metrics.ts';
import { figuresOf, NOT_COMPARED, verdictOf } from './verdict.ts';

export type AuditorContext = {
  audit(): Promise<Outcome>;
  intervalMs: number;
  metrics: AuditMetrics;
  health: Health;
  log: Logger;
  signal: AbortSignal;
};

/** Between two audits there is a pause, however long one takes. */
const LEAST_PAUSE_MS = 5000;
const LONGEST_BACKOFF_MS = 60_000;
/** Ids in a line of the log. */
const LOGGED = 1000;

/** Audits at each interval, and tells what came of it; one that couldn't compare is tried again, later each time. */
export async function keepAuditing(context: AuditorContext): Promise<void> {
  const { health, intervalMs, signal } = context;
  let figures: Figures = {};
  health.ready(figures, NOT_COMPARED);
  for (let failures = 0; !signal.aborted; ) {
    const began = performance.now();
    const { verdict, completed } = await attempt(context, began);
    figures = completed ?? figures;
    health.ready(figures, verdict);
    failures = completed ? 0 : failures + 1;
    const next = completed
      ? intervalMs - (performance.now() - began)
      : backoffMs(failures, LONGEST_BACKOFF_MS);
    await sleep(Math.max(LEAST_PAUSE_MS, next), signal);
  }
}

/** Figures come only of an audit that was completed. */
async function attempt(
  context: AuditorContext,
  began: number,
): Promise<{ verdict: Verdict; completed?: Figures }> {
  try {
    const outcome = await context.audit();
    const completed = figuresOf(outcome, (performance.now() - began) / 1000, new Date());
    const verdict = verdictOf(outcome);
    context.metrics.completed(completed);
    context.metrics.ended(verdict);
    tell(context.log, outcome, verdict, completed);
    return { verdict, completed };
  } catch (error) {
    context.signal.throwIfAborted();
    const verdict = unknown(error);
    context.metrics.ended(verdict);
    context.log.warn({ reason: verdict.reason, err: error }, verdict.message);
    return { verdict };
  }
}

function unknown(error: unknown): Verdict {
  if (error instanceof StageError) return { status: 'Unknown', reason: error.reason, message: error.message };
  return { status: 'Unknown', reason: 'UnexpectedError', message: String((error as Error).message ?? error) };
}

function tell(log: Logger, { differing }: Outcome, { status, reason, message }: Verdict, figures: Figures) {
  if (status !== 'False') return log.info({ reason, ...figures }, message);
  return log.warn({ reason, ...figures, differing: differing.slice(0, LOGGED) }, message);
}

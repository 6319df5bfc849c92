import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { PipelineKey } from '../api/names.ts';
import type { Clock } from '../kube/clock.ts';
import { isConflict, NotLeaderError } from '../kube/errors.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import { fromKey } from '../kube/object.ts';
import type { RequestReport } from '../kube/requests.ts';
import { tellFailure } from './failing.ts';
import { type Dependencies, type Result, reconcile } from './reconciler.ts';
import { TerminatingError } from './refusals.ts';

/** What the next reconcile, on a fresh read, heals by itself. */
function isPassing(error: unknown): boolean {
  return isConflict(error) || error instanceof TerminatingError || error instanceof NotLeaderError;
}

/** A write in the words of its path within the namespace, as in `PATCH statefulsets/users-spark`. */
function inWords({ method, path }: RequestReport): string {
  return `${method} ${path.replace(/^.*\/namespaces\/[^/]+\//, '')}`;
}

/** Up to a fifth later than asked, so that those that began together don't come back together. */
function spread({ requeueAfterMs }: Result, random: number): Result {
  return requeueAfterMs === undefined ? {} : { requeueAfterMs: requeueAfterMs * (1 + random / 5) };
}

/** The reconcile of one key, counted, and logged under an id of its own: a line where it has written, or failed. */
export function createHandler(
  dependencies: Dependencies,
  { clock, metrics, log }: { clock: Clock; metrics: KubeMetrics; log: Logger },
): (key: string, failures: number) => Promise<Result> {
  async function failed(error: unknown, failures: number, entry: Logger, key: PipelineKey): Promise<void> {
    if (isPassing(error)) return entry.debug({ err: error }, 'something changed meanwhile');
    entry.warn({ err: error }, 'reconcile failed');
    await tellFailure(key, dependencies, error, failures).catch((reason) =>
      entry.debug({ err: reason }, 'the status could not tell it'),
    );
  }

  return async (key, failures) => {
    const { namespace = '', name } = fromKey(key);
    const entry = log.child({ namespace, name, reconcileID: randomUUID() });
    const writes: string[] = [];
    const onRequest = (report: RequestReport) => {
      if (report.method !== 'GET' && report.code < 300) writes.push(inWords(report));
    };
    const client = dependencies.client.with({ onRequest });
    const began = clock.now();
    const finished = (result: 'success' | 'requeue_after' | 'error') =>
      metrics.reconciled(result, (clock.now() - began) / 1000);
    try {
      const result = await reconcile({ namespace, name }, { ...dependencies, client });
      finished(result.requeueAfterMs === undefined ? 'success' : 'requeue_after');
      return spread(result, clock.random());
    } catch (error) {
      finished('error');
      await failed(error, failures + 1, entry, { namespace, name });
      throw error;
    } finally {
      if (writes.length > 0) entry.info({ writes }, 'written');
    }
  };
}

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../kube/clock.ts';
import { isConflict } from '../kube/errors.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import { fromKey } from '../kube/object.ts';
import { TerminatingError } from './cluster.ts';
import { type Dependencies, type Result, reconcile } from './reconciler.ts';

/** What the next reconcile, on a fresh read, heals by itself. */
function isPassing(error: unknown): boolean {
  return isConflict(error) || error instanceof TerminatingError;
}

/** The reconcile of one key, counted, and logged under an id of its own. */
export function createHandler(
  dependencies: Dependencies,
  { clock, metrics, log }: { clock: Clock; metrics: KubeMetrics; log: Logger },
): (key: string) => Promise<Result> {
  return async (key) => {
    const { namespace = '', name } = fromKey(key);
    const entry = log.child({ namespace, name, reconcileID: randomUUID() });
    const began = clock.now();
    const finished = (result: 'success' | 'requeue_after' | 'error') =>
      metrics.reconciled(result, (clock.now() - began) / 1000);
    try {
      const result = await reconcile({ namespace, name }, dependencies);
      finished(result.requeueAfterMs === undefined ? 'success' : 'requeue_after');
      return result;
    } catch (error) {
      finished('error');
      if (isPassing(error)) entry.debug({ err: error }, 'something changed meanwhile');
      else entry.warn({ err: error }, 'reconcile failed');
      throw error;
    }
  };
}

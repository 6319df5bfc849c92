import { isDeepStrictEqual } from 'node:util';
import { fromKey } from '../kube/object.ts';
import { figuresOf } from '../status/figures.ts';
import { Cluster } from './cluster.ts';
import { isPaused, type PipelineObject, refTo } from './pipeline-object.ts';
import type { Dependencies, Result } from './reconciler.ts';
import { applyStatus } from './status.ts';

/** Figures are renewed this often at most. */
export const FIGURES_MS = 60_000;

/**
 * Renews the figures in a pipeline's status, and touches nothing else of it.
 * @returns when to do so again: never, where no worker tells any; the next reconcile then asks for it
 */
export async function renewFigures(key: string, dependencies: Dependencies): Promise<Result> {
  const { client, readReports } = dependencies;
  const { namespace = '', name } = fromKey(key);
  const cluster = new Cluster(dependencies, { namespace, name, uid: '' });
  const figures = figuresOf(await readReports(cluster, ['relay', 'spark']));
  if (!figures) return {};
  const object: PipelineObject | undefined = await client.get(refTo({ namespace, name }));
  if (!object || object.metadata.deletionTimestamp || isPaused(object)) return {};
  // What changed the resource has yet to be told: a newer state of it here would be taken for that, and nobody be woken.
  if (object.status?.observedGeneration !== object.metadata.generation) return { requeueAfterMs: FIGURES_MS };
  if (!isDeepStrictEqual(object.status?.figures, figures)) {
    await applyStatus(client, object, { ...object.status, figures });
  }
  return { requeueAfterMs: FIGURES_MS };
}

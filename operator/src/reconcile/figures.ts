import { isDeepStrictEqual } from 'node:util';
import { fromKey, refOf } from '../kube/object.ts';
import { compareVersions } from '../kube/versions.ts';
import { figuresOf } from '../status/figures.ts';
import { auditOf, isNews } from '../status/intact.ts';
import { type Report, reachDiffers, whyUnknown } from '../status/reports.ts';
import { Cluster } from './cluster.ts';
import { isPaused, type PipelineObject, refTo } from './pipeline-object.ts';
import type { Dependencies, Result } from './reconciler.ts';
import { applyStatus } from './status.ts';

/** Figures are renewed this often at most. */
export const FIGURES_MS = 60_000;

/**
 * Whether a reconcile has yet to see what changed the resource. What is written on a state that no watch has told of, as
 * one with a new annotation, is known by the answer: the watch's word would come too late to wake anybody.
 */
function isUnseen(object: PipelineObject, { store }: Dependencies): boolean {
  const { generation, resourceVersion = '' } = object.metadata;
  if (object.status?.observedGeneration !== generation) return true;
  const told = store?.get(refOf(object))?.metadata.resourceVersion;
  return store !== undefined && (!told || compareVersions(resourceVersion, told) > 0);
}

/** Whether there is anything to renew; workers that can't be asked tell of that, too. */
function tellsAnything(reports: Report[]): boolean {
  return [figuresOf(reports), auditOf(reports, undefined), whyUnknown(reports)].some(
    (each) => each !== undefined,
  );
}

/**
 * Renews the figures in a pipeline's status, and touches nothing else of it: where the audit says something new, or the
 * workers can no longer or again be asked, a reconcile is asked for by `wake`.
 * @returns when to do so again: never, where no worker tells any; the next reconcile then asks for it
 */
export async function renewFigures(
  key: string,
  dependencies: Dependencies,
  wake: (key: string) => void,
): Promise<Result> {
  const { client, readReports } = dependencies;
  const { namespace = '', name } = fromKey(key);
  const cluster = new Cluster(dependencies, { namespace, name, uid: '' });
  const reports = await readReports(cluster);
  if (!tellsAnything(reports)) return {};
  const object: PipelineObject | undefined = await client.get(refTo({ namespace, name }));
  if (!object || object.metadata.deletionTimestamp || isPaused(object)) return {};
  if (isUnseen(object, dependencies)) return { requeueAfterMs: FIGURES_MS };
  const audit = auditOf(reports, object.status?.audit);
  const status = { ...object.status, ...named('figures', figuresOf(reports)), ...named('audit', audit) };
  if (!isDeepStrictEqual(object.status, status)) await applyStatus(client, object, status);
  const conditions = object.status?.conditions ?? [];
  if (isNews(reports, conditions) || reachDiffers(reports, conditions)) wake(key);
  return { requeueAfterMs: FIGURES_MS };
}

const named = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });

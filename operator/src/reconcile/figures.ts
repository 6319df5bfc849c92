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

const AGAIN: Result = { requeueAfterMs: FIGURES_MS };

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

/** Of what a pipeline's workers tell, what its status may have to say. */
function toldBy(reports: Report[]) {
  return {
    figures: figuresOf(reports),
    audit: auditOf(reports, undefined),
    intact: reports.find(({ intact }) => intact)?.intact,
    whyUnknown: whyUnknown(reports),
  };
}

/** Of each pipeline what its workers told last, and the resourceVersion at which its status said so. */
export type Said = Map<string, { told: ReturnType<typeof toldBy>; version: string | undefined }>;

/** Has a pipeline's status say what is told, and its reconcile woken by what is news to it. @returns whether all was said already */
async function tell(
  object: PipelineObject,
  reports: Report[],
  client: Dependencies['client'],
  wake: () => void,
): Promise<boolean> {
  const { figures: before, ...rest } = object.status ?? {};
  // Of workers that can't be asked nobody knows what flowed in the last minute.
  const figures = whyUnknown(reports) ? undefined : (figuresOf(reports) ?? before);
  const status = { ...rest, ...named('figures', figures), ...named('audit', auditOf(reports, rest.audit)) };
  const { conditions = [] } = rest;
  const isKnown = isDeepStrictEqual(object.status, status);
  const wakes = isNews(reports, conditions) || reachDiffers(reports, conditions);
  if (!isKnown) await applyStatus(client, object, status);
  if (wakes) wake();
  return isKnown && !wakes;
}

/**
 * Renews the figures in a pipeline's status, and touches nothing else of it: where the audit says something new, or the
 * workers can no longer or again be asked, a reconcile is asked for by `wake`. What was `said` costs no request.
 * @returns when to do so again: never, where no worker tells any; the next reconcile then asks for it
 */
export async function renewFigures(
  key: string,
  dependencies: Dependencies,
  wake: (key: string) => void,
  said: Said = new Map(),
): Promise<Result> {
  const { client, readReports, store } = dependencies;
  const { namespace = '', name } = fromKey(key);
  const ref = refTo({ namespace, name });
  const reports = await readReports(new Cluster(dependencies, { namespace, name, uid: '' }));
  const told = toldBy(reports);
  const isAnything = Object.values(told).some((each) => each !== undefined);
  const version = store?.get(ref)?.metadata.resourceVersion;
  if (version && isAnything && isDeepStrictEqual(said.get(key), { told, version })) return AGAIN;
  said.delete(key);
  const object: PipelineObject | undefined = isAnything ? await client.get(ref) : undefined;
  if (!object || object.metadata.deletionTimestamp || isPaused(object)) return {};
  const isSaid = !isUnseen(object, dependencies) && (await tell(object, reports, client, () => wake(key)));
  if (isSaid) said.set(key, { told, version: object.metadata.resourceVersion });
  return AGAIN;
}

const named = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });

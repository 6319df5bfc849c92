import { isDeepStrictEqual } from 'node:util';
import { ZodError } from 'zod';
import type { PipelineKey } from '../api/names.ts';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import { type Pipeline, parsePipeline } from '../api/resource.ts';
import { type Condition, type PipelineStatus, STAGES } from '../api/status.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventText } from '../kube/events.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import type { Images } from '../specs/images.ts';
import { firstFault, stuck } from '../status/check.ts';
import { conditions, type StageChecks } from '../status/conditions.ts';
import { endpoints } from '../status/endpoints.ts';
import { type Report, reportedCheck } from '../status/reports.ts';
import { Cluster, FIELD_MANAGER } from './cluster.ts';
import { FINALIZER, finalize, removeFinalizer } from './deletion.ts';
import { runSteps } from './pipeline.ts';
import type { Context } from './step.ts';

/** While something is on its way it is looked at this often; afterwards, this seldom. */
const SOON_MS = 3_000;
const LATER_MS = 20_000;

/** What hasn't become ready within this time won't do so any moment. */
const PATIENCE_MS = 10 * 60_000;

const PAUSED = 'userstream.dev/reconcile';

export type Dependencies = {
  client: KubeClient;
  images: Images;
  /** What the workers of a pipeline say of themselves. */
  readReports(cluster: Cluster): Promise<Report[]>;
  password(): string;
  now(): Date;
  /** Writes an event on the resource; must not throw. */
  record(object: KubeObject, text: EventText): void;
};

type PipelineObject = KubeObject & { status?: PipelineStatus };

export type Result = { requeueAfterMs?: number };

function refTo(key: PipelineKey): ObjectRef {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, ...key };
}

/** What the steps saw and what the workers say, stage by stage; a worker knows more of why than its pod does. */
function combined(seen: StageChecks, reports: Report[]): StageChecks {
  const stages = STAGES.map((stage) => {
    const check = seen[stage];
    const reported = reportedCheck(stage, reports);
    return [stage, check ? firstFault([reported, check]) : reported.ready ? undefined : reported] as const;
  });
  return Object.fromEntries(stages.filter(([, check]) => check));
}

async function writeStatus(
  { client, now }: Dependencies,
  object: PipelineObject,
  checks: StageChecks,
  pipeline?: Pipeline,
): Promise<Condition[]> {
  const generation = object.metadata.generation ?? 0;
  const time = `${now().toISOString().slice(0, 19)}Z`;
  const status: PipelineStatus = {
    observedGeneration: generation,
    conditions: conditions(checks, object.status?.conditions ?? [], generation, time, pipeline?.spec.suspend),
    ...(pipeline ? { endpoints: endpoints(pipeline) } : {}),
  };
  const { apiVersion, kind, metadata } = object;
  if (!isDeepStrictEqual(object.status, status)) {
    const target = {
      apiVersion,
      kind,
      metadata: { name: metadata.name, namespace: metadata.namespace ?? '' },
      status,
    };
    await client.applyStatus(target, {
      fieldManager: FIELD_MANAGER,
      preconditions: metadata.uid ? { uid: metadata.uid } : {},
    });
  }
  return status.conditions ?? [];
}

async function ensureFinalizer(client: KubeClient, object: PipelineObject): Promise<void> {
  if (object.metadata.finalizers?.includes(FINALIZER)) return;
  const finalizers = [...(object.metadata.finalizers ?? []), FINALIZER];
  const { uid, resourceVersion } = object.metadata;
  const ref = refTo({ namespace: object.metadata.namespace ?? '', name: object.metadata.name });
  await client.mergePatch(
    ref,
    { metadata: { finalizers } },
    {
      fieldManager: FIELD_MANAGER,
      preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    },
  );
}

/** The pipeline, or undefined (and a status that says why) where it was stored under a schema that it no longer fits. */
async function parsed(dependencies: Dependencies, object: PipelineObject): Promise<Pipeline | undefined> {
  try {
    return parsePipeline(object);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const faults = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    await writeStatus(dependencies, object, {
      Postgres: stuck('SpecInvalid', `${faults}; correct the resource`),
    });
    return undefined;
  }
}

/** Takes a deleted pipeline apart. One that can't be read any more is let go, for nothing of it can be undone. */
async function reconcileDeleted(
  dependencies: Dependencies,
  object: PipelineObject,
  context: Context | undefined,
): Promise<Result> {
  const { client, now, record } = dependencies;
  const leftOver = (why: string) =>
    record(object, {
      type: 'Warning',
      reason: 'LeftOver',
      action: 'TearDown',
      message: `what lies outside was left: ${why}`,
    });
  if (context) return await finalize(context, client, object, now(), leftOver);
  leftOver('the stored resource no longer fits the schema');
  await removeFinalizer(client, object);
  return {};
}

/** An event for each change of Ready, or of why it isn't. */
function recordReady(dependencies: Dependencies, object: PipelineObject, conditions: Condition[]): void {
  const before = object.status?.conditions?.find(({ type }) => type === 'Ready');
  const after = conditions.find(({ type }) => type === 'Ready');
  if (!after || (before?.status === after.status && before.reason === after.reason)) return;
  const type = conditions.some(({ type, status }) => type === 'Stalled' && status === 'True')
    ? 'Warning'
    : 'Normal';
  dependencies.record(object, { type, reason: after.reason, action: 'Reconcile', message: after.message });
}

/** How soon to look again: soon while something happens, later when all is well or nothing has for a while. */
function requeueAfterMs(conditions: Condition[], now: Date): number {
  const ready = conditions.find(({ type }) => type === 'Ready');
  const forMs = now.getTime() - Date.parse(ready?.lastTransitionTime ?? '');
  return ready?.status === 'True' || forMs > PATIENCE_MS ? LATER_MS : SOON_MS;
}

/**
 * Brings one pipeline a step nearer to what its resource says, from what the API server holds now.
 * @returns when to look again, where time alone may change something
 * @throws what a retry may heal
 */
export async function reconcile(key: PipelineKey, dependencies: Dependencies): Promise<Result> {
  const { client, images, password, readReports, now } = dependencies;
  const object: PipelineObject | undefined = await client.get(refTo(key));
  if (!object) return {};
  const pipeline = await parsed(dependencies, object);
  const cluster = new Cluster(client, { ...key, uid: object.metadata.uid ?? '' });
  const reports = pipeline ? await readReports(cluster) : [];
  const context: Context | undefined = pipeline && { pipeline, images, cluster, password, reports };
  if (object.metadata.deletionTimestamp) return await reconcileDeleted(dependencies, object, context);
  if (!context || object.metadata.annotations?.[PAUSED] === 'disabled') return {};
  await ensureFinalizer(client, object);
  const written = await writeStatus(
    dependencies,
    object,
    combined(await runSteps(context), reports),
    pipeline,
  );
  recordReady(dependencies, object, written);
  return { requeueAfterMs: requeueAfterMs(written, now()) };
}

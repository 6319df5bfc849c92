import { ZodError } from 'zod';
import type { PipelineKey } from '../api/names.ts';
import { type Pipeline, parsePipeline } from '../api/resource.ts';
import { milliseconds } from '../api/scalars.ts';
import { STAGES } from '../api/status.ts';
import type { Exec } from '../kube/exec.ts';
import type { Images } from '../specs/images.ts';
import { type Check, firstFault, stuck } from '../status/check.ts';
import type { Seen, StageChecks } from '../status/conditions.ts';
import { endpoints } from '../status/endpoints.ts';
import { auditOf, verdict } from '../status/intact.ts';
import { type Report, reportedCheck, type Verdict } from '../status/reports.ts';
import { Cluster } from './cluster.ts';
import { finalize, tellLeftOver } from './deletion.ts';
import { ensureFinalizer, removeFinalizer } from './finalizer.ts';
import { runSteps } from './pipeline.ts';
import { isPaused, type PipelineObject, refTo } from './pipeline-object.ts';
import type { Access } from './reads.ts';
import { requeueAfterMs } from './schedule.ts';
import { shortVolumes } from './short-volumes.ts';
import { noteData, type StatusWriter, writeStatus } from './status.ts';
import type { Context } from './step.ts';

export type Dependencies = StatusWriter &
  Access & {
    images: Images;
    exec: Exec;
    /** What the workers of a pipeline say of themselves. */
    readReports(cluster: Cluster): Promise<Report[]>;
    password(): string;
  };

export type Result = { requeueAfterMs?: number };

/** What the steps saw and what the workers say, stage by stage; a worker knows more of why than its pod does. */
function combined(seen: StageChecks, reports: Report[]): StageChecks {
  const stages = STAGES.map((stage) => {
    const check = seen[stage];
    const reported = reportedCheck(stage, reports);
    return [stage, check ? firstFault([reported, check]) : reported.ready ? undefined : reported] as const;
  });
  return Object.fromEntries(stages.filter(([, check]) => check));
}

/** The pipeline, or what is wrong where it was stored under a schema that it no longer fits. */
function parsed(object: PipelineObject): Pipeline | Check {
  try {
    return parsePipeline(object);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const faults = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    return stuck('SpecInvalid', `${faults}; correct the resource`);
  }
}

async function contextOf(
  dependencies: Dependencies,
  object: PipelineObject,
  pipeline: Pipeline,
): Promise<Context> {
  const { images, exec, password, readReports, now, record } = dependencies;
  const cluster = new Cluster(dependencies, pipeline);
  const { conditions = [], dataSince } = object.status ?? {};
  const reports = await readReports(cluster);
  return {
    pipeline,
    conditions,
    provisioned: dataSince !== undefined,
    provisionedNow: false,
    images,
    cluster,
    exec,
    reports,
    password,
    now,
    tell: (text) => record(object, text),
  };
}

/** Takes a deleted pipeline apart. One that can't be read any more is let go, for nothing of it can be undone. */
async function reconcileDeleted(
  dependencies: Dependencies,
  object: PipelineObject,
  pipeline: Pipeline | Check,
): Promise<Result> {
  if (!('ready' in pipeline))
    return await finalize(await contextOf(dependencies, object, pipeline), dependencies, object);
  tellLeftOver(dependencies, object, 'the stored resource no longer fits the schema');
  await removeFinalizer(dependencies.client, object);
  return {};
}

/** Runs the steps; says that the stores may hold data before anything fills them. */
async function runAndNote(
  dependencies: Dependencies,
  object: PipelineObject,
  context: Context,
): Promise<{ object: PipelineObject; seen: Seen }> {
  const { seen, provisioned } = await runSteps(context);
  if (!provisioned || context.provisioned) return { object, seen };
  const noted = await noteData(dependencies, object);
  return await runAndNote(dependencies, noted, { ...context, provisioned });
}

/** Whether the data is intact, as far as that is known of the resource as it is now. */
function intactOf({ pipeline, conditions, reports, now }: Context, { status }: PipelineObject): Verdict {
  const { generation, spec } = pipeline;
  const intervalMs = milliseconds(spec.audit.interval);
  const known = { suspended: spec.suspend, generation, intervalMs, conditions, audit: status?.audit };
  return verdict(reports, { ...known, now: now() });
}

/** Runs the steps and writes what they saw. */
async function reconcileStanding(
  dependencies: Dependencies,
  found: PipelineObject,
  pipeline: Pipeline,
): Promise<Result> {
  const context = await contextOf(dependencies, found, pipeline);
  const { object, seen } = await runAndNote(dependencies, found, context);
  const wants = Object.values(seen.stages).some(({ ready }) => !ready);
  const { status } = await writeStatus(dependencies, object, {
    seen: { ...seen, stages: combined(seen.stages, context.reports) },
    suspended: pipeline.spec.suspend,
    endpoints: endpoints(pipeline),
    intact: intactOf(context, object),
    audit: auditOf(context.reports, object.status?.audit),
    // Where all is ready, all volumes are as they are wanted; before there is data, any size may be corrected.
    volumes: wants && context.provisioned ? await shortVolumes(context) : [],
  });
  return { requeueAfterMs: requeueAfterMs(status?.conditions ?? [], dependencies.now()) };
}

/**
 * Brings one pipeline a step nearer to what its resource says, from what the API server holds now.
 * @returns when to look again, where time alone may change something
 * @throws what a retry may heal
 */
export async function reconcile(key: PipelineKey, dependencies: Dependencies): Promise<Result> {
  const { client } = dependencies;
  const found: PipelineObject | undefined = await client.get(refTo(key));
  if (!found) return {};
  const pipeline = parsed(found);
  if (found.metadata.deletionTimestamp) return await reconcileDeleted(dependencies, found, pipeline);
  if (isPaused(found)) return {};
  if ('ready' in pipeline) {
    await writeStatus(dependencies, found, { seen: { whole: pipeline, stages: {} } });
    return {};
  }
  const object = await ensureFinalizer(client, found);
  return await reconcileStanding(dependencies, object, pipeline);
}

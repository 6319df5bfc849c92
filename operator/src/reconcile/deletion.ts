import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { isRefused } from '../kube/errors.ts';
import { DEPLOYMENT, JOB, STATEFUL_SET } from '../kube/kinds.ts';
import { notReady } from '../status/check.ts';
import { hasEnded } from '../status/pods.ts';
import { FINALIZER, removeFinalizer } from './finalizer.ts';
import { endLeftPods } from './left-pods.ts';
import type { PipelineObject } from './pipeline-object.ts';
import { carryPolicy } from './policy.ts';
import { NameTakenError, TerminatingError } from './refusals.ts';
import { noteTeardown, type StatusWriter, writeStatus } from './status.ts';
import type { Context } from './step.ts';
import { LIMIT_MS, nameOf, type Teardown, tearDown, teardownJobs, together, working } from './teardown.ts';
import { removeTopics } from './topics.ts';

/** What is refused is asked for again this often. */
const REFUSED_MS = 20_000;

/** Deletes the provision Jobs, and the teardown Jobs of an earlier pipeline of the name: they are of one component. */
async function stopProvision({ cluster }: Context, kept: Set<string>): Promise<void> {
  for (const job of await cluster.list<V1Job>(JOB, 'provision'))
    if (!kept.has(nameOf(job))) await cluster.delete(JOB, nameOf(job));
}

/**
 * Stops all that reads and writes, or it would hold or make anew what the teardown takes away.
 * @param carried whether Spark's volume stays or goes as it should
 */
async function stopFlow(context: Context, carried: boolean): Promise<boolean> {
  const { pipeline, cluster } = context;
  const { name } = pipeline;
  const kept = new Set((await teardownJobs(context)).map(nameOf));
  await stopProvision(context, kept);
  for (const component of ['ingest', 'relay', 'registry', 'audit'])
    await cluster.delete(DEPLOYMENT, `${name}-${component}`);
  if (carried) await cluster.delete(STATEFUL_SET, `${name}-spark`);
  const components = ['ingest', 'relay', 'registry', 'audit', 'spark', 'provision'];
  const pods = (await Promise.all(components.map((component) => cluster.pods(component)))).flat();
  const isTeardowns = ({ metadata }: V1Pod) =>
    kept.has(metadata?.labels?.['batch.kubernetes.io/job-name'] ?? '');
  return pods.every((pod) => hasEnded(pod) || isTeardowns(pod));
}

/** Whether garbage collection takes what the pipeline owns before the pipeline. */
const goesLast = ({ metadata }: PipelineObject) =>
  metadata.finalizers?.includes('foregroundDeletion') ?? false;

/** One step of undoing what lies outside, once the flow has stopped or has had its time to. */
async function undo(
  context: Context,
  client: KubeClient,
  object: PipelineObject,
  goingMs: number,
): Promise<Teardown> {
  const { pipeline, provisioned } = context;
  const going = { client, pipeline, provisioned };
  const late = goingMs > LIMIT_MS;
  const carried = (await carryPolicy(going)) || late;
  const stopped = await stopFlow(context, carried);
  const noneLeft = await endLeftPods(context);
  if (!carried) return working('the volumes that are to stay are owned by nothing that goes');
  if ((stopped && noneLeft) || late)
    return together([await removeTopics(going, context.now()), await tearDown(context, !goesLast(object))]);
  return working(
    'the pods of ingest, relay, registry, audit, Spark and provision, and those that a StatefulSet left behind, end',
  );
}

/** What an error means for the teardown: in twice the limit it is given up. @throws what a retry may heal until then */
function hindered(error: Error, goingMs: number): Teardown {
  if (goingMs >= 2 * LIMIT_MS) return { state: 'givenUp', why: error.message };
  const isTold = error instanceof NameTakenError || error instanceof TerminatingError;
  if (isTold || isRefused(error)) return { state: 'working', awaits: error.message, againMs: REFUSED_MS };
  throw error;
}

function terminating(awaits: string, name: string) {
  const wayOut = `kubectl patch usp ${name} --type=merge -p '{"metadata":{"finalizers":null}}'`;
  return notReady(
    'Terminating',
    `it goes when this is done, or has had five minutes: ${awaits}; to leave what lies outside the namespace as it is: ${wayOut}`,
  );
}

/**
 * One step of taking a deleted pipeline apart; the objects it owns go by garbage collection, after this. An event tells
 * what had to be left where it is, and why.
 */
export async function finalize(
  context: Context,
  writer: StatusWriter,
  found: PipelineObject,
): Promise<{ requeueAfterMs?: number }> {
  if (!found.metadata.finalizers?.includes(FINALIZER)) return {};
  // The times that limits count from are the API server's.
  const now = new Date(writer.now().getTime() - writer.client.aheadMs);
  const object = await noteTeardown(writer, found, now);
  const goingMs = now.getTime() - Date.parse(object.status?.teardownSince ?? '');
  const teardown = await undo({ ...context, now: () => now }, writer.client, object, goingMs).catch((error) =>
    hindered(error, goingMs),
  );
  if (teardown.state === 'working') {
    await writeStatus(writer, object, { whole: terminating(teardown.awaits, object.metadata.name) });
    return { requeueAfterMs: teardown.againMs };
  }
  if (teardown.state === 'givenUp') tellLeftOver(writer, object, teardown.why);
  await removeFinalizer(writer.client, object);
  // What has no owner has to be taken away, but not before it is no longer asked for.
  if (goesLast(object))
    for (const job of await teardownJobs(context)) await context.cluster.delete(JOB, nameOf(job));
  return {};
}

/** Says what of a pipeline that goes had to be left. */
export function tellLeftOver({ record }: StatusWriter, object: PipelineObject, why: string): void {
  const message = `what lies outside was left: ${why}`;
  record(object, { type: 'Warning', reason: 'LeftOver', action: 'TearDown', message });
}

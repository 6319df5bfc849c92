import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { isForbidden, isInvalid, isNotServed } from '../kube/errors.ts';
import { DEPLOYMENT, JOB, STATEFUL_SET } from '../kube/kinds.ts';
import { kafkaObjects, unmanagedTopic } from '../specs/kafka.ts';
import { notReady } from '../status/check.ts';
import { hasEnded } from '../status/pods.ts';
import { FINALIZER, removeFinalizer } from './finalizer.ts';
import { endLeftPods } from './left-pods.ts';
import type { PipelineObject } from './pipeline-object.ts';
import { NameTakenError, TerminatingError } from './refusals.ts';
import { type StatusWriter, writeStatus } from './status.ts';
import type { Context } from './step.ts';
import { nameOf, type Teardown, tearDown, teardownJobs, working } from './teardown.ts';

/** How long the flow may take to stop, so that a node that is gone for good holds no namespace. */
const LIMIT_MS = 5 * 60_000;

/** What is refused is asked for again this often. */
const REFUSED_MS = 20_000;

/** Deletes the provision Jobs, and the teardown Jobs of an earlier pipeline of the name: they are of one component. */
async function stopProvision({ cluster }: Context, kept: Set<string>): Promise<void> {
  for (const job of await cluster.list<V1Job>(JOB, 'provision'))
    if (!kept.has(nameOf(job))) await cluster.delete(JOB, nameOf(job));
}

/** Stops all that reads and writes, or it would hold or make anew what the teardown takes away. */
async function stopFlow(context: Context): Promise<boolean> {
  const { pipeline, cluster } = context;
  const { name } = pipeline;
  const kept = new Set((await teardownJobs(context)).map(nameOf));
  await stopProvision(context, kept);
  for (const component of ['ingest', 'relay', 'registry', 'audit'])
    await cluster.delete(DEPLOYMENT, `${name}-${component}`);
  await cluster.delete(STATEFUL_SET, `${name}-spark`);
  const components = ['ingest', 'relay', 'registry', 'audit', 'spark', 'provision'];
  const pods = (await Promise.all(components.map((component) => cluster.pods(component)))).flat();
  const isTeardowns = ({ metadata }: V1Pod) =>
    kept.has(metadata?.labels?.['batch.kubernetes.io/job-name'] ?? '');
  return pods.every((pod) => hasEnded(pod) || isTeardowns(pod));
}

/** Whether a topic can't be released any more: its KafkaTopic, its kind or its namespace is going or gone. */
function isBeyondRelease(error: unknown): boolean {
  return isNotServed(error) || isForbidden(error) || error instanceof TerminatingError;
}

/** Topics that are to stay must not go with their KafkaTopics. */
async function releaseTopics({ pipeline, cluster }: Context): Promise<void> {
  if (pipeline.spec.deletionPolicy !== 'Retain') return;
  const topics = kafkaObjects(pipeline).filter(({ kind }) => kind === 'KafkaTopic');
  for (const topic of topics.map(unmanagedTopic)) {
    await cluster.ensure(topic).catch((error) => {
      if (!isBeyondRelease(error)) throw error;
    });
  }
}

/** Whether garbage collection takes what the pipeline owns before the pipeline. */
const goesLast = ({ metadata }: PipelineObject) =>
  metadata.finalizers?.includes('foregroundDeletion') ?? false;

/** One step of undoing what lies outside, once the flow has stopped or has had its time to. */
async function undo(context: Context, object: PipelineObject, deletedMs: number): Promise<Teardown> {
  const stopped = await stopFlow(context);
  const noneLeft = await endLeftPods(context);
  await releaseTopics(context);
  if ((stopped && noneLeft) || deletedMs > LIMIT_MS) return await tearDown(context, !goesLast(object));
  return working(
    'the pods of ingest, relay, registry, audit, Spark and provision, and those that a StatefulSet left behind, end',
  );
}

/** What an error means for the teardown: in twice the limit it is given up. @throws what a retry may heal until then */
function hindered(error: Error, deletedMs: number): Teardown {
  if (deletedMs >= 2 * LIMIT_MS) return { state: 'givenUp', why: error.message };
  const isTold = error instanceof NameTakenError || error instanceof TerminatingError;
  if (isTold || isInvalid(error) || isForbidden(error))
    return { state: 'working', awaits: error.message, againMs: REFUSED_MS };
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
  object: PipelineObject,
): Promise<{ requeueAfterMs?: number }> {
  const { deletionTimestamp, finalizers, name } = object.metadata;
  if (!finalizers?.includes(FINALIZER)) return {};
  // The times that limits count from are the API server's.
  const now = new Date(writer.now().getTime() - writer.client.aheadMs);
  const deletedMs = now.getTime() - Date.parse(deletionTimestamp ?? '');
  const teardown = await undo({ ...context, now: () => now }, object, deletedMs).catch((error) =>
    hindered(error, deletedMs),
  );
  if (teardown.state === 'working') {
    await writeStatus(writer, object, { whole: terminating(teardown.awaits, name) });
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

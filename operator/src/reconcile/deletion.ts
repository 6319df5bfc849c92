import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { isForbidden, isNotServed } from '../kube/errors.ts';
import { CONFIG_MAP, DEPLOYMENT, JOB, STATEFUL_SET } from '../kube/kinds.ts';
import { teardownSystems } from '../specs/config.ts';
import { kafkaObjects, unmanagedTopic } from '../specs/kafka.ts';
import { teardownName, teardownObjects } from '../specs/provision.ts';
import { hasEnded } from '../status/pods.ts';
import { jobCheck } from '../status/workloads.ts';
import { accessTo } from './access.ts';
import { FINALIZER, removeFinalizer } from './finalizer.ts';
import type { PipelineObject } from './pipeline-object.ts';
import { TerminatingError } from './refusals.ts';
import type { Context } from './step.ts';

/**
 * How long the flow may take to stop, and then the teardown Job to succeed: past that it is given up, so that a node or a
 * system that is gone for good holds no namespace.
 */
const LIMIT_MS = 5 * 60_000;

const AGAIN_MS = 1_000;

/** How a teardown stands: still at work, done, or given up and why. */
type Teardown = { state: 'working' | 'done' } | { state: 'givenUp'; why: string };

/** Deletes the provision Jobs; the teardown Job is of the same component. */
async function stopProvision({ pipeline, cluster }: Context): Promise<void> {
  for (const { metadata } of await cluster.list<V1Job>(JOB, 'provision')) {
    const name = metadata?.name ?? '';
    if (name !== teardownName(pipeline)) await cluster.delete(JOB, name);
  }
}

/** Stops all that reads and writes, or it would hold or make anew what the teardown takes away. */
async function stopFlow(context: Context): Promise<boolean> {
  const { pipeline, cluster } = context;
  const { name } = pipeline;
  await stopProvision(context);
  for (const component of ['ingest', 'relay', 'registry'])
    await cluster.delete(DEPLOYMENT, `${name}-${component}`);
  await cluster.delete(STATEFUL_SET, `${name}-spark`);
  const components = ['ingest', 'relay', 'registry', 'spark', 'provision'];
  const pods = (await Promise.all(components.map((component) => cluster.pods(component)))).flat();
  const isTeardowns = ({ metadata }: V1Pod) =>
    metadata?.labels?.['batch.kubernetes.io/job-name'] === teardownName(pipeline);
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

/** Runs the teardown Job, which only needs the credentials of the systems that live on. */
async function tearDown(context: Context, now: Date): Promise<Teardown> {
  const { pipeline, cluster } = context;
  const systems = teardownSystems(pipeline);
  if (systems.length === 0) return { state: 'done' };
  const access = await accessTo(context, systems);
  if ('missing' in access)
    return { state: 'givenUp', why: access.missing.ready ? '' : access.missing.message };
  try {
    await cluster.ensureAll(teardownObjects(pipeline, access.build));
  } catch (error) {
    // A namespace that is being deleted takes no new objects.
    if (!isForbidden(error)) throw error;
    return { state: 'givenUp', why: (error as Error).message };
  }
  const job = await cluster.get<V1Job>(JOB, teardownName(pipeline));
  if (jobCheck(job, []).ready) return { state: 'done' };
  const began = new Date(job?.metadata?.creationTimestamp ?? now).getTime();
  if (now.getTime() - began < LIMIT_MS) return { state: 'working' };
  return { state: 'givenUp', why: `Job ${teardownName(pipeline)} did not succeed within five minutes` };
}

/** The Job has no owner, or garbage collection could take it before it is done: it goes here. */
async function removeTeardown({ pipeline, cluster }: Context): Promise<void> {
  await cluster.delete(JOB, teardownName(pipeline));
  await cluster.delete(CONFIG_MAP, teardownName(pipeline));
}

/** One step of undoing what lies outside, once the flow has stopped or has had its time to. */
async function undo(context: Context, deletedMs: number, now: Date): Promise<Teardown> {
  const stopped = await stopFlow(context);
  await releaseTopics(context);
  return stopped || deletedMs > LIMIT_MS ? await tearDown(context, now) : { state: 'working' };
}

/**
 * One step of taking a deleted pipeline apart; the objects it owns go by garbage collection, after this.
 * `leftOver` is told what had to be left where it is, and why.
 */
export async function finalize(
  context: Context,
  client: KubeClient,
  object: PipelineObject,
  now: Date,
  leftOver: (why: string) => void,
): Promise<{ requeueAfterMs?: number }> {
  if (!object.metadata.finalizers?.includes(FINALIZER)) return {};
  const deletedMs = now.getTime() - Date.parse(object.metadata.deletionTimestamp ?? now.toISOString());
  const teardown = await undo(context, deletedMs, now).catch((error: Error): Teardown => {
    if (deletedMs < 2 * LIMIT_MS) throw error;
    return { state: 'givenUp', why: error.message };
  });
  if (teardown.state === 'working') return { requeueAfterMs: AGAIN_MS };
  if (teardown.state === 'givenUp') leftOver(teardown.why);
  await removeTeardown(context);
  await removeFinalizer(client, object);
  return {};
}

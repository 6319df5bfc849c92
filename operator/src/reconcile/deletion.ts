import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { needsTeardown } from '../specs/config.ts';
import { kafkaObjects, unmanagedTopic } from '../specs/kafka.ts';
import { teardownObjects } from '../specs/provision.ts';
import { accessTo } from './access.ts';
import { FIELD_MANAGER } from './cluster.ts';
import { runJob } from './provision.ts';
import type { Context } from './step.ts';

/** Held until what garbage collection can't reach is undone: slots, topics and keyspaces on systems that live on. */
export const FINALIZER = 'userstream.dev/teardown';

/** A teardown that hasn't succeeded by then is given up, so that a system that is gone for good holds no namespace. */
const LIMIT_MS = 5 * 60_000;

const AGAIN_MS = 1_000;

const DEPLOYMENT: Kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const STATEFUL_SET: Kind = { apiVersion: 'apps/v1', kind: 'StatefulSet' };

/** Stops all that reads and writes, or it would hold or make anew what the teardown takes away. */
async function stopFlow({ pipeline: { name }, cluster }: Context): Promise<boolean> {
  await cluster.delete(DEPLOYMENT, `${name}-ingest`);
  await cluster.delete(DEPLOYMENT, `${name}-relay`);
  await cluster.delete(DEPLOYMENT, `${name}-registry`);
  await cluster.delete(STATEFUL_SET, `${name}-spark`);
  const components = ['ingest', 'relay', 'registry', 'spark'];
  const pods = await Promise.all(components.map((component) => cluster.pods(component)));
  return pods.flat().length === 0;
}

/** Topics that are to stay must not go with their KafkaTopics. */
async function releaseTopics({ pipeline, cluster }: Context): Promise<void> {
  if (pipeline.spec.deletionPolicy !== 'Retain') return;
  const topics = kafkaObjects(pipeline).filter(({ kind }) => kind === 'KafkaTopic');
  await cluster.ensureAll(topics.map(unmanagedTopic));
}

/** Whether the teardown Job, where there is need of one, has done its work. */
async function tornDown(context: Context): Promise<boolean> {
  const access = await accessTo(context, ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA']);
  // Without its credentials nothing outside can be undone.
  if ('missing' in access || !needsTeardown(context.pipeline)) return true;
  return (await runJob(context, teardownObjects(context.pipeline, access.build))).ready;
}

async function removeFinalizer(client: KubeClient, object: KubeObject): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== FINALIZER);
  await client.mergePatch(
    refOf(object),
    { metadata: { finalizers } },
    {
      fieldManager: FIELD_MANAGER,
      preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    },
  );
}

/** One step of taking a deleted pipeline apart; the objects it owns go by garbage collection, after this. */
export async function finalize(
  context: Context,
  client: KubeClient,
  object: KubeObject,
  now: Date,
): Promise<{ requeueAfterMs?: number }> {
  if (!object.metadata.finalizers?.includes(FINALIZER)) return {};
  const overdue = now.getTime() - Date.parse(object.metadata.deletionTimestamp ?? '') > LIMIT_MS;
  if (!overdue) {
    await releaseTopics(context);
    const done = (await stopFlow(context)) && (await tornDown(context));
    if (!done) return { requeueAfterMs: AGAIN_MS };
  }
  await removeFinalizer(client, object);
  return {};
}

import { KubeClient, loadKubeConfig } from '../src/kube/client.ts';
import { type KubeObject, refOf } from '../src/kube/object.ts';
import { type ApplyOptions, CREATE_ONLY } from '../src/kube/options.ts';
import type { Kind } from '../src/kube/resources.ts';
import { PIPELINES } from '../src/reconcile/followed.ts';
import { FIELD_MANAGER } from '../src/reconcile/owned.ts';
import { reconcile } from '../src/reconcile/reconciler.ts';
import { IMAGES } from '../src/specs/testing.ts';
import type { World } from './world.ts';

const JOB: Kind = { apiVersion: 'batch/v1', kind: 'Job' };
const WORKLOADS: Kind[] = ['Deployment', 'StatefulSet'].map((kind) => ({ apiVersion: 'apps/v1', kind }));

/** Requests in flight, as many as the operator has pipelines in work. */
const CONCURRENCY = 10;

/** A pipeline with everything managed but Kafka, one pod of each. */
function pipeline(namespace: string, name: string): KubeObject {
  return {
    ...PIPELINES,
    metadata: { namespace, name },
    spec: {
      source: { url: 'https://randomuser.me/api/1.4/' },
      kafka: { external: { bootstrapServers: 'kafka.kafka.svc:9092' }, topic: { replicas: 1 } },
      relay: { replicas: 1 },
      spark: { checkpoint: { uri: 's3a://checkpoints/' } },
      cassandra: { replicationFactor: 1, managed: { replicas: 1 } },
    },
  };
}

/** Runs `does` for each item, some at once. */
async function forAll<T>(items: T[], does: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const work = async () => {
    for (const item of left) await does(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `people-${i}`);

/** Applies `count` pipelines. */
export async function applyPipelines({ api }: World, namespace: string, count: number): Promise<void> {
  const options = { fieldManager: 'bench' };
  await forAll(names(count), (name) => api.adminClient.apply(pipeline(namespace, name), options));
}

/** Lets all provision Jobs have succeeded, for which everything after them waits. */
export async function completeJobs({ api }: World, namespace: string): Promise<void> {
  const { items } = await api.adminClient.list(JOB, { namespace });
  const at = new Date().toISOString().replace(/\.\d+/, '');
  const status = {
    startTime: at,
    completionTime: at,
    succeeded: 1,
    conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: at,
      lastProbeTime: at,
    })),
  };
  await forAll(items, ({ metadata: { name } }) =>
    api.adminClient.mergePatch({ ...JOB, namespace, name }, { status }, { subresource: 'status' }),
  );
}

/** A client that notes which objects were applied through it. */
class Recorder extends KubeClient {
  readonly applied: KubeObject[] = [];

  override async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    if (!options.subresource) this.applied.push(object);
    return await super.apply(object, options);
  }
}

/** The objects of one pipeline as the operator applies them, in two parts: up to the provision Job and after it. */
export type Sample = { namespace: string; name: string; parts: [KubeObject[], KubeObject[]] };

/** Each object as it was applied last. */
function distinct(objects: KubeObject[]): KubeObject[] {
  return [...new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object])).values()];
}

/** Reconciles one pipeline and notes what that applies. */
export async function recordSample(world: World, namespace: string, name: string): Promise<Sample> {
  await world.api.adminClient.apply(pipeline(namespace, name), { fieldManager: 'bench' });
  const client = new Recorder(loadKubeConfig(world.api.kubeconfig));
  const dependencies = {
    client,
    images: IMAGES,
    readReports: async () => [],
    exec: () => Promise.reject(new Error('there is no container')),
    password: () => 'a-password-of-the-bench',
    now: () => new Date(),
    record: () => {},
  };
  await reconcile({ namespace, name }, dependencies);
  const first = distinct(client.applied);
  await completeJobs(world, namespace);
  await reconcile({ namespace, name }, dependencies);
  client.close();
  return { namespace, name, parts: [first, distinct(client.applied).slice(first.length)] };
}

/** Applies the same objects under `count` other names by a loop that does nothing else; answers the seconds it took. */
export async function applyBare({ api }: World, sample: Sample, to: string, count: number): Promise<number> {
  const { namespace, name: sampleName, parts } = sample;
  const text = JSON.stringify(parts.flat()).replaceAll(`"namespace":"${namespace}"`, `"namespace":"${to}"`);
  const options = { fieldManager: FIELD_MANAGER, preconditions: CREATE_ONLY };
  const began = performance.now();
  await forAll(names(count), async (name) => {
    const own: KubeObject[] = JSON.parse(text.replaceAll(sampleName, name));
    for (const object of own) await api.adminClient.apply(object, options);
  });
  return (performance.now() - began) / 1000;
}

/** Deletes what would make pods, so that controllers find nothing to do there. */
export async function deleteWorkloads({ api }: World, namespace: string): Promise<void> {
  for (const kind of [JOB, ...WORKLOADS]) {
    const { items } = await api.adminClient.list(kind, { namespace });
    await forAll(items, (item) => api.adminClient.delete(refOf(item)));
  }
}

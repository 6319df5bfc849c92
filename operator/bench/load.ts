import { KubeClient, loadKubeConfig } from '../src/kube/client.ts';
import { type KubeObject, type ObjectRef, refOf } from '../src/kube/object.ts';
import { type ApplyOptions, CREATE_ONLY } from '../src/kube/options.ts';
import type { Kind } from '../src/kube/resources.ts';
import { PIPELINES } from '../src/reconcile/followed.ts';
import { FIELD_MANAGER } from '../src/reconcile/owned.ts';
import { reconcile } from '../src/reconcile/reconciler.ts';
import { IMAGES } from '../src/specs/testing.ts';
import { type Time, timed } from './time.ts';
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

/** Changes what concerns nobody on each of `count` pipelines, which the operator then looks at. */
export async function touchPipelines({ api }: World, namespace: string, count: number): Promise<void> {
  const patch = { metadata: { annotations: { touched: 'once' } } };
  await forAll(names(count), (name) => api.adminClient.mergePatch({ ...PIPELINES, namespace, name }, patch));
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

type Patch = Record<string, unknown>;

/** A client that notes what is written through it: objects that are applied, and the writes on the pipeline itself. */
class Recorder extends KubeClient {
  readonly applied: KubeObject[] = [];
  readonly statuses: KubeObject[] = [];
  readonly patches: Patch[] = [];

  override async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    (options.subresource ? this.statuses : this.applied).push(object);
    return await super.apply(object, options);
  }

  override async mergePatch<T extends KubeObject>(ref: ObjectRef, patch: Patch, options = {}): Promise<T> {
    this.patches.push(patch);
    return await super.mergePatch(ref, patch, options);
  }
}

/**
 * The objects of one pipeline as the operator applies them, in two parts: up to the provision Job and after it; and what
 * it writes on the pipeline's own resource meanwhile.
 */
export type Sample = {
  namespace: string;
  name: string;
  parts: [KubeObject[], KubeObject[]];
  patches: Patch[];
  statuses: KubeObject[];
};

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
  const { applied, patches, statuses } = client;
  return { namespace, name, parts: [first, distinct(applied).slice(first.length)], patches, statuses };
}

/** The text of what a sample holds, as it is under another name. */
const renamed = (sample: Sample, part: unknown, to: string) => {
  const text = JSON.stringify(part).replaceAll(`"namespace":"${sample.namespace}"`, `"namespace":"${to}"`);
  return (name: string) => text.replaceAll(sample.name, name);
};

/** Applies the same objects under `count` other names by a loop that does nothing else; answers how long it took. */
export async function applyBare({ api }: World, sample: Sample, to: string, count: number): Promise<Time> {
  const text = renamed(sample, sample.parts.flat(), to);
  const options = { fieldManager: FIELD_MANAGER, preconditions: CREATE_ONLY };
  const applyOne = async (name: string) => {
    const own: KubeObject[] = JSON.parse(text(name));
    for (const object of own) await api.adminClient.apply(object, options);
  };
  return await timed(() => forAll(names(count), applyOne));
}

/** Writes the same on `count` pipelines' own resources by such a loop; answers how long it took. */
export async function writeBare(world: World, sample: Sample, to: string, count: number): Promise<Time> {
  await applyPipelines(world, to, count);
  const text = renamed(sample, sample.statuses, to);
  const client = world.api.adminClient;
  const writeOne = async (name: string) => {
    const ref = { ...PIPELINES, namespace: to, name };
    for (const patch of sample.patches) await client.mergePatch(ref, patch);
    const statuses: KubeObject[] = JSON.parse(text(name));
    for (const status of statuses) await client.applyStatus(status, { fieldManager: FIELD_MANAGER });
  };
  return await timed(() => forAll(names(count), writeOne));
}

/** Deletes what would make pods, so that controllers find nothing to do there. */
export async function deleteWorkloads({ api }: World, namespace: string): Promise<void> {
  for (const kind of [JOB, ...WORKLOADS]) {
    const { items } = await api.adminClient.list(kind, { namespace });
    await forAll(items, (item) => api.adminClient.delete(refOf(item)));
  }
}

import type { KubeObject } from '../../../src/kube/object.ts';
import { UPKEEP_ANNOTATION } from '../../../src/reconcile/cassandra/upkeep.ts';
import { NAME } from '../run.ts';
import { CREATED, CREATED_WITH_STRIMZI, type Scenario } from '../scenarios.ts';

type Patch = Record<string, unknown>;

/** What an edit does to an object of a kind, beside the label of every one: to fields that the operator set. */
const EDITS: Record<string, Patch> = {
  Secret: { data: { username: Buffer.from('edited').toString('base64') } },
  Service: { spec: { selector: { 'app.kubernetes.io/instance': 'edited' } } },
  StatefulSet: { spec: { replicas: 0 } },
  Deployment: { spec: { replicas: 0 } },
  Role: { rules: [] },
  RoleBinding: { subjects: [] },
  ServiceAccount: { automountServiceAccountToken: true },
  Kafka: { spec: { kafka: { config: { 'auto.create.topics.enable': 'true' } } } },
  KafkaNodePool: { spec: { replicas: 9 } },
  KafkaTopic: { spec: { partitions: 99 } },
};

/** What every edit overwrites; no selector looks for it. */
export const LABEL = 'app.kubernetes.io/part-of';

export type How = 'edited' | 'deleted';

/** Some objects of a pipeline, in an order that is the same in every run, and what is done to each. */
export type Target = { scenario: Scenario; of(objects: KubeObject[]): KubeObject[]; hows: How[] };

export const TARGETS: Target[] = [
  { scenario: CREATED, of: written, hows: ['edited', 'deleted'] },
  { scenario: CREATED_WITH_STRIMZI, of: strimzis, hows: ['edited', 'deleted'] },
  { scenario: CREATED, of: pods, hows: ['edited', 'deleted'] },
  { scenario: CREATED, of: claims, hows: ['edited'] },
];

/** Every text of a ConfigMap is overwritten; what else it may be given isn't the operator's. */
export function edit({ kind, ...object }: KubeObject): Patch {
  const data = (object['data'] ?? {}) as Record<string, string>;
  const texts = Object.fromEntries(Object.keys(data).map((name) => [name, 'edited']));
  const own = kind === 'ConfigMap' ? { data: texts } : EDITS[kind];
  return { ...own, metadata: { labels: { [LABEL]: 'edited' } } };
}

/** Whether an edit stays: pods and claims are their controllers', who leave the labels of those that stand as they are. */
export function isLeft({ kind }: KubeObject, how: How): boolean {
  return how === 'edited' && ['Pod', 'PersistentVolumeClaim'].includes(kind);
}

/** Whether what is deleted stays so: nobody makes another password for a ring that holds data. */
export function isLost({ kind, metadata }: KubeObject, how: How): boolean {
  return how === 'deleted' && kind === 'Secret' && metadata.name === `${NAME}-cassandra`;
}

/** With it goes what is known of a ring, which is then filled: nodes without processes can't (cassandra.integration.test.ts). */
function keepsUpkeep({ annotations = {} }: KubeObject['metadata']): boolean {
  return UPKEEP_ANNOTATION in annotations;
}

/** Whether the case can be played out here. */
export function isPlayable({ metadata }: KubeObject, how: How): boolean {
  return how === 'edited' || !keepsUpkeep(metadata);
}

/** What the operator itself wrote for the pipeline, for nobody else applies. */
function written(objects: KubeObject[]): KubeObject[] {
  const applied = objects.filter(
    ({ kind, metadata }) =>
      kind !== 'UserStreamPipeline' && metadata.managedFields?.some(({ operation }) => operation === 'Apply'),
  );
  return byName(applied);
}

function strimzis(objects: KubeObject[]): KubeObject[] {
  return written(objects).filter(({ apiVersion }) => apiVersion.startsWith('kafka.strimzi.io/'));
}

/** One pod of each workload. */
function pods(objects: KubeObject[]): KubeObject[] {
  const owner = ({ metadata }: KubeObject) => metadata.ownerReferences?.[0];
  const all = objects.filter((each) => each.kind === 'Pod' && owner(each)?.kind !== 'Job');
  const groups = Map.groupBy(byName(all), (each) => owner(each)?.uid);
  return [...groups.values()].flatMap((group) => group.slice(0, 1));
}

function claims(objects: KubeObject[]): KubeObject[] {
  return byName(objects.filter(({ kind }) => kind === 'PersistentVolumeClaim'));
}

function byName(objects: KubeObject[]): KubeObject[] {
  const nameOf = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.name}`;
  return objects.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

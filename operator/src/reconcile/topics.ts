import { type KubeObject, refOf } from '../kube/object.ts';
import { removeFinalizer } from './finalizer.ts';
import { KAFKA, KAFKA_TOPIC } from './owned.ts';
import { type Going, ownedNow } from './policy.ts';
import { DONE, LIMIT_MS, type Teardown, working } from './teardown.ts';

/** Held by Strimzi's topic operator, which goes with the Kafka. */
const FINALIZER = 'strimzi.io/topic-operator';

/** Takes Strimzi's finalizer from a topic that it won't take it from. */
async function release({ client }: Going, topic: KubeObject): Promise<void> {
  if (topic.metadata.finalizers?.includes(FINALIZER)) await removeFinalizer(client, topic, FINALIZER);
}

/** One step of deleting the KafkaTopics, as long as the Kafka is there whose topic operator lets them go. */
export async function removeTopics(going: Going, now: Date): Promise<Teardown> {
  const { client, pipeline } = going;
  const topics = await ownedNow(going, KAFKA_TOPIC);
  if (topics.length === 0) return DONE;
  const { namespace, name } = pipeline;
  const hasKafka = (await client.get({ ...KAFKA, namespace, name })) !== undefined;
  const isLate = ({ metadata }: KubeObject) =>
    now.getTime() - Date.parse(metadata.deletionTimestamp ?? '') > LIMIT_MS;
  for (const topic of topics) {
    const { deletionTimestamp, uid = '' } = topic.metadata;
    if (!deletionTimestamp) await client.delete(refOf(topic), { preconditions: { uid } });
    else if (isLate(topic) || !hasKafka) await release(going, topic);
  }
  const names = topics.map(({ metadata }) => metadata.name).join(', ');
  if (!topics.every(isLate)) return working(`Strimzi lets the KafkaTopics ${names} go`);
  return { state: 'givenUp', why: `Strimzi did not let the KafkaTopics ${names} go within five minutes` };
}

import type { KubeClient } from '../../src/kube/client.ts';
import { type KubeObject, keyOf, refOf } from '../../src/kube/object.ts';
import { KAFKA, KAFKA_TOPIC } from '../../src/reconcile/owned.ts';
import { startPlayer } from './player.ts';

const FINALIZER = 'strimzi.io/topic-operator';

/** Plays Strimzi's topic operator until it is stopped: topics are held, and let go only as long as their Kafka is there. */
export function startTopics(client: KubeClient): { stop(): Promise<void> } {
  return startPlayer(() => tend(client));
}

const kafkaOf = ({ metadata: { namespace = '', labels } }: KubeObject) =>
  keyOf({ namespace, name: labels?.['strimzi.io/cluster'] ?? '' });

async function tend(client: KubeClient): Promise<void> {
  const kafkas = new Set((await client.list(KAFKA)).items.map(({ metadata }) => keyOf(metadata)));
  const { items } = await client.list(KAFKA_TOPIC);
  for (const topic of items.filter((each) => kafkas.has(kafkaOf(each)))) {
    const { deletionTimestamp, finalizers = [] } = topic.metadata;
    const held = finalizers.includes(FINALIZER);
    if (held !== (deletionTimestamp !== undefined)) continue;
    // Whoever else holds it holds it on.
    const others = finalizers.filter((each) => each !== FINALIZER);
    const metadata = { finalizers: held ? others : [...others, FINALIZER] };
    await client.mergePatch(refOf(topic), { metadata });
  }
}

import type { Admin } from 'kafkajs';
import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import { StageError } from '../lib/health.ts';
import { kafkaClient } from '../lib/kafka.ts';
import { withAdmin } from '../lib/kafka-admin.ts';
import { kafkaError } from '../lib/kafka-errors.ts';
import { ConfigResourceTypes, ConfigSource } from '../lib/kafkajs.ts';
import type { Logger } from '../lib/logging.ts';

export type TopicWish = {
  name: string;
  partitions: number;
  replicas: number;
  config: Record<string, string>;
};

type Section = Sections['kafka'];

/** The registry's journal is its database: its records must never expire. */
const REGISTRY_CONFIG = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };

/** The topics that are this worker's to make: none without `topics`, where another makes them. */
export function topicWishes(
  kafka: Section,
  topics: Sections['topics'] | undefined,
  registry: string[],
): TopicWish[] {
  if (!topics) return [];
  const { partitions, replicas, config, deadLetterConfig } = topics;
  return [
    { name: kafka.topic, partitions, replicas, config },
    { name: kafka.deadLetterTopic, partitions: 1, replicas, config: deadLetterConfig },
    ...registry.map((name) => ({ name, partitions: 1, replicas, config: REGISTRY_CONFIG })),
  ];
}

/** Creates the topics that are missing, adds partitions and corrects settings of the others. */
export async function provisionTopics(
  kafka: Section,
  access: Access,
  log: Logger,
  wishes: TopicWish[],
): Promise<void> {
  if (wishes.length === 0) return;
  await administer(kafka, access, log, async (admin) => {
    const present = new Set(await admin.listTopics());
    for (const wish of wishes) {
      const created = !present.has(wish.name) && (await createTopic(admin, wish));
      if (!created) await adjustTopic(admin, wish);
    }
  });
}

/** Deletes the topics; those that are gone already are fine. */
export async function deleteTopics(
  kafka: Section,
  access: Access,
  log: Logger,
  names: string[],
): Promise<void> {
  await administer(kafka, access, log, async (admin) => {
    const present = new Set(await admin.listTopics());
    const topics = names.filter((name) => present.has(name));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

async function administer(
  kafka: Section,
  access: Access,
  log: Logger,
  work: (admin: Admin) => Promise<void>,
) {
  await withAdmin(kafkaClient(kafka, access.credentials, access.ca, log), work).catch((error) => {
    throw kafkaError(kafka, error);
  });
}

/** False where somebody else was faster. */
async function createTopic(
  admin: Admin,
  { name, partitions, replicas, config }: TopicWish,
): Promise<boolean> {
  const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  return admin.createTopics({
    topics: [{ topic: name, numPartitions: partitions, replicationFactor: replicas, configEntries }],
  });
}

async function adjustTopic(admin: Admin, wish: TopicWish): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [wish.name] });
  const partitions = topics[0]?.partitions.length ?? 0;
  const replicas = topics[0]?.partitions[0]?.replicas.length ?? wish.replicas;
  if (replicas !== wish.replicas) {
    // Before anything else: min.insync.replicas follows the wish, and no write would be taken.
    throw new StageError(
      'Kafka',
      'TopicReplicasDiffer',
      `topic ${wish.name} has ${replicas} copies, ${wish.replicas} are asked for: set kafka.topic.replicas to ${replicas}, or reassign the partitions with Kafka's own tool`,
    );
  }
  if (partitions > wish.partitions) {
    throw new StageError(
      'Kafka',
      'TopicHasMorePartitions',
      `topic ${wish.name} has ${partitions} partitions, ${wish.partitions} are asked for: Kafka can't take any away; set kafka.topic.partitions to ${partitions}, or choose another topic`,
    );
  }
  if (partitions < wish.partitions) {
    await admin.createPartitions({ topicPartitions: [{ topic: wish.name, count: wish.partitions }] });
  }
  await adjustConfig(admin, wish);
}

/** Kafka's old AlterConfigs, all that kafkajs has, replaces every setting: those set by others are sent along. */
async function adjustConfig(admin: Admin, { name, config }: TopicWish): Promise<void> {
  const type = ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] });
  const entries = resources[0]?.configEntries ?? [];
  const present = new Map(entries.map((entry) => [entry.configName, entry.configValue]));
  if (Object.entries(config).every(([key, value]) => present.get(key) === value)) return;
  const own = entries.filter((entry) => entry.configSource === ConfigSource.TOPIC_CONFIG);
  const merged = new Map([
    ...own.map((entry) => [entry.configName, entry.configValue] as const),
    ...Object.entries(config),
  ]);
  const configEntries = [...merged].map(([key, value]) => ({ name: key, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] });
}

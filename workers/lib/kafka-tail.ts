import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, KafkaMessage } from 'kafkajs';
import { StageError } from './health.ts';
import { withAdmin } from './kafka-admin.ts';
import type { Kafka } from './kafkajs.ts';

/** A partition's last record is never compacted away: where it isn't read by then, something is wrong. */
const DEADLINE_MS = 30_000;
const LOOK_MS = 50;

export type Tail = { key: string; headers: Record<string, string> };

/**
 * Key and headers of the last record of each partition of `topic` that has one. kafkajs reads only as a member of a
 * group: `groupId` commits nothing.
 * @throws {StageError} TopicUnread where not all could be read: what is known of a part says nothing of the topic.
 */
export async function lastRecords(kafka: Kafka, topic: string, groupId: string): Promise<Tail[]> {
  const ends = await lastOffsets(kafka, topic);
  if (ends.size === 0) return [];
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const found = new Map<number, Tail>();
  const crash = crashOf(consumer);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (ends.has(partition)) found.set(partition, tailOf(message));
      },
    });
    for (const [partition, offset] of ends) consumer.seek({ topic, partition, offset });
    await Promise.race([all(found, [...ends.keys()], topic), crash]);
    return [...found.values()];
  } finally {
    await consumer.disconnect().catch(() => {});
  }
}

/** Where the last record of each partition stands that isn't empty. */
async function lastOffsets(kafka: Kafka, topic: string): Promise<Map<number, string>> {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const filled = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low));
  return new Map(filled.map(({ partition, high }) => [partition, String(BigInt(high) - 1n)]));
}

async function all(found: ReadonlyMap<number, Tail>, partitions: number[], topic: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  const missing = () => partitions.filter((partition) => !found.has(partition));
  while (missing().length > 0) {
    if (Date.now() > deadline) throw unread(topic, missing());
    await sleep(LOOK_MS);
  }
}

function unread(topic: string, partitions: number[]): StageError {
  return new StageError(
    'Kafka',
    'TopicUnread',
    `topic ${topic}: the last records of partitions ${partitions.join(', ')} could not be read in ${DEADLINE_MS / 1000} s; see that these partitions have leaders; it is tried again`,
  );
}

/** Rejects with what keeps the consumer from reading; kafkajs tells only its listeners. */
function crashOf(consumer: Consumer): Promise<never> {
  const crash = new Promise<never>((_, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  });
  crash.catch(() => {});
  return crash;
}

function tailOf({ key, headers }: KafkaMessage): Tail {
  const texts = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
  return { key: String(key), headers: Object.fromEntries(texts) };
}

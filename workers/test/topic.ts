import type { Kafka, KafkaMessage } from 'kafkajs';

export type TopicRecord = {
  key: string;
  value: Buffer | null;
  headers: Record<string, string>;
  partition: number;
  offset: bigint;
};

export type TopicReader = {
  /** All records so far, those of one partition in order. */
  records: TopicRecord[];
  stop(): Promise<void>;
};

let readers = 0;

/** Reads `topic` from its beginning, and goes on as records come, also after the broker was away. */
export async function readTopic(client: Kafka, topic: string): Promise<TopicReader> {
  const records: TopicRecord[] = [];
  const next = new Map<number, bigint>();
  const take = (one: TopicRecord) => {
    if (one.offset < (next.get(one.partition) ?? 0n)) return;
    next.set(one.partition, one.offset + 1n);
    records.push(one);
  };
  let reading = await startConsumer(client, topic, take);
  const stopped = Promise.withResolvers<'stopped'>();
  const follow = async () => {
    while ((await Promise.race([reading.gaveUp, stopped.promise])) !== 'stopped') {
      reading = await startConsumer(client, topic, take);
    }
    await reading.consumer.disconnect();
  };
  const followed = follow();
  followed.catch(() => {});
  const stop = () => {
    stopped.resolve('stopped');
    return followed;
  };
  return { records, stop };
}

/** Does what retention does to a topic in which nothing has been published for long. */
export async function expire(client: Kafka, topic: string): Promise<void> {
  const admin = client.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic, partitions });
  await admin.disconnect();
}

/** `gaveUp` resolves when kafkajs has ended the consumer for good, as it does where no broker answers. */
async function startConsumer(client: Kafka, topic: string, take: (one: TopicRecord) => void) {
  const consumer = client.consumer({ groupId: `test-${process.pid}-${readers++}`, maxWaitTimeInMs: 100 });
  const gaveUp = new Promise<void>((resolve) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) resolve();
    });
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) take(record(message, batch.partition));
    },
  });
  return { consumer, gaveUp };
}

function record({ key, value, headers, offset }: KafkaMessage, partition: number): TopicRecord {
  const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
  return {
    key: String(key),
    value,
    headers: Object.fromEntries(texts),
    partition,
    offset: BigInt(offset),
  };
}

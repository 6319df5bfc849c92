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

/** Reads `topic` from its beginning, and goes on as records come. */
export async function readTopic(client: Kafka, topic: string): Promise<TopicReader> {
  const consumer = client.consumer({ groupId: `test-${process.pid}-${readers++}`, maxWaitTimeInMs: 100 });
  const records: TopicRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) records.push(record(message, batch.partition));
    },
  });
  return { records, stop: () => consumer.disconnect() };
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

import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { KafkaRecord } from '../../lib/kafka.ts';

// A process that publishes records which it made beforehand: `producer.ts stock|ours BROKERS TOPIC COUNT`.

const [client, brokers = '', topic = '', count] = process.argv.slice(2);
const bootstrapServers = brokers.split(',');
/** As many records as the relay has in a batch of half a mebibyte. */
const BATCH = 1300;

type Sender = { send(records: KafkaRecord[]): Promise<unknown>; close(): Promise<void> };

// Loaded only where it is wanted: it replaces parts of kafkajs.
async function ours(): Promise<Sender> {
  const { createPublisher, kafkaClient } = await import('../../lib/kafka.ts');
  const section = {
    bootstrapServers,
    tls: false,
    compression: 'none' as const,
    topic,
    deadLetterTopic: topic,
  };
  const kafka = kafkaClient(section, undefined, undefined, pino({ enabled: false }));
  const publisher = await createPublisher(kafka, 'none');
  return { send: (records) => publisher.publish(records), close: () => publisher.close() };
}

async function stock(): Promise<Sender> {
  const { Kafka } = await import('kafkajs');
  const producer = new Kafka({ brokers: bootstrapServers }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  return {
    send: (messages) => producer.send({ topic, acks: -1, messages }),
    close: () => producer.disconnect(),
  };
}

const value = randomBytes(260);
const batches = Array.from({ length: Math.ceil(Number(count) / BATCH) }, () =>
  Array.from({ length: BATCH }, (): KafkaRecord => {
    const headers = { version: '281474976710656', 'committed-at': String(Date.now()) };
    return { topic, key: randomUUID(), value: Buffer.from(value), headers };
  }),
);
const sender = client === 'ours' ? await ours() : await stock();
const word = () => new Promise((resolve) => process.once('message', resolve));
process.send?.('ready');
await word();
for (const batch of batches) await sender.send(batch);
process.send?.('done');
await word();
await sender.close();
process.disconnect();

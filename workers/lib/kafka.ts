import type { Producer } from 'kafkajs';
import type { Credentials, Sections } from './config.ts';
import { ConfigError } from './config.ts';
import { StageError } from './health.ts';
import { withAdmin } from './kafka-admin.ts';
import { isTooLarge } from './kafka-errors.ts';
import { resettingSockets } from './kafka-sockets.ts';
import { lastRecords, type Tail } from './kafka-tail.ts';
import { CompressionTypes, Kafka, logLevel } from './kafkajs.ts';
import { choosePartition } from './kafkajs-hot-paths.ts';
import type { Logger } from './logging.ts';

// The one file that knows kafkajs by its habits; everything else goes through what it exports.

// kafkajs asks for timeouts in the past, which Node reports on stderr and then takes as one millisecond.
const emitWarning = process.emitWarning.bind(process);
process.emitWarning = ((warning: string, ...rest: [string?]) => {
  if (rest[0] !== 'TimeoutNegativeWarning') emitWarning(warning, ...rest);
}) as typeof process.emitWarning;

type KafkaSection = Sections['kafka'];

export type KafkaRecord = {
  topic: string;
  key: string;
  value: Buffer | null;
  headers: Record<string, string>;
  /** Chosen by the key where it isn't given. */
  partition?: number;
};

/** Where each partition of a topic ends, by its number: offsets are 64 bits wide, so they are texts. */
export type EndOffsets = Record<string, string>;

/**
 * Enough for a leader to move; then the fault is reported and the worker starts over with a fresh client. kafkajs nests
 * its retries, so that these few are about ten seconds.
 */
const RETRY = { initialRetryTime: 100, retries: 4, maxRetryTime: 1000 };

/** A Kafka client for `section`; its own log lines go to `log` at debug level, faults come as errors. */
export function kafkaClient(
  section: KafkaSection,
  credentials: Credentials | undefined,
  ca: string | undefined,
  log: Logger,
): Kafka {
  return new Kafka({
    clientId: 'userstream',
    brokers: section.bootstrapServers,
    connectionTimeout: 5000,
    socketFactory: resettingSockets,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => log.debug({ kafka: entry.namespace, detail: entry.log }, entry.log.message),
    ...(section.tls ? { ssl: ca === undefined ? true : { ca: [ca] } } : {}),
    ...sasl(section, credentials),
  });
}

function sasl({ saslMechanism: mechanism }: KafkaSection, credentials: Credentials | undefined) {
  if (mechanism === undefined) return {};
  if (!credentials) {
    throw new ConfigError(`kafka.saslMechanism is ${mechanism}: set KAFKA_USERNAME and KAFKA_PASSWORD`);
  }
  // One literal a mechanism, because kafkajs types them apart.
  if (mechanism === 'plain') return { sasl: { mechanism, ...credentials } };
  if (mechanism === 'scram-sha-256') return { sasl: { mechanism, ...credentials } };
  return { sasl: { mechanism, ...credentials } };
}

/** @throws {StageError} TopicMissing naming those of `topics` that don't exist: nothing makes them by accident. */
export async function requireTopics(kafka: Kafka, topics: readonly string[]): Promise<void> {
  const present = await withAdmin(kafka, (admin) => admin.listTopics());
  const missing = topics.filter((topic) => !present.includes(topic));
  if (missing.length === 0) return;
  const message = `no topic ${missing.join(', ')}; the provision job creates it: see its logs`;
  throw new StageError('Kafka', 'TopicMissing', message);
}

export type Publisher = {
  /** Resolves when all in-sync replicas have every record; one call at a time. */
  publish(records: readonly KafkaRecord[]): Promise<void>;
  endOffsets(topic: string): Promise<EndOffsets>;
  /** The last record of each partition, read as the only member of a group. */
  lastRecords(topic: string, groupId: string): Promise<Tail[]>;
  close(): Promise<void>;
};

/**
 * A publisher on an idempotent producer: a request that timed out and arrives late all the same is dropped by the
 * broker, so it can't put an old record behind a newer one of its key. The connections of one that was closed are reset:
 * what they still held never arrives behind the records of the next.
 */
export async function createPublisher(
  kafka: Kafka,
  compression: KafkaSection['compression'],
): Promise<Publisher> {
  const used = new Set<string>();
  const reached: Reached = new Map();
  let producer = await connectProducer(kafka, used);
  const type = compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  return {
    async publish(records) {
      try {
        await publish(producer, type, records, { used, reached });
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        // kafkajs takes the sequence numbers of all partitions back when one refuses its part, though others have stored
        // theirs: only a new producer begins with numbers that the brokers take.
        await producer.disconnect().catch(() => {});
        producer = await connectProducer(kafka, used);
        throw error;
      }
    },
    endOffsets: (topic) => endOffsets(kafka, topic),
    lastRecords: (topic, groupId) => lastRecords(kafka, topic, groupId),
    close: () => producer.disconnect(),
  };
}

async function endOffsets(kafka: Kafka, topic: string): Promise<EndOffsets> {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  return Object.fromEntries(offsets.map(({ partition, high }) => [partition, high]));
}

/** A connected producer that notes in `used` the partitions it chooses, as `topic/partition`. */
async function connectProducer(kafka: Kafka, used: Set<string>): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ topic, message, partitionMetadata }) => {
        const partition = choosePartition(message as KafkaRecord, partitionMetadata.length);
        used.add(`${topic}/${partition}`);
        return partition;
      },
  });
  await producer.connect();
  return producer;
}

/** The offset of the last batch that each partition, as `topic/partition`, has acknowledged. */
type Reached = Map<string, bigint>;

/** A log that goes on before what it has acknowledged isn't the one that was written to: that record may be lost. */
function goOn(reached: Reached, partition: string, baseOffset: string | undefined): void {
  const offset = BigInt(baseOffset ?? -1);
  if (offset < 0n) return;
  const before = reached.get(partition) ?? -1n;
  reached.set(partition, offset);
  if (offset > before) return;
  throw new StageError(
    'Kafka',
    'LogReplaced',
    `${partition} goes on at offset ${offset}, and had acknowledged ${before}: the topic was made anew or has lost its end; send all users again (docs/runbooks/relay.md)`,
  );
}

async function publish(
  producer: Producer,
  type: CompressionTypes,
  records: readonly KafkaRecord[],
  { used, reached }: { used: Set<string>; reached: Reached },
) {
  used.clear();
  const byTopic = Map.groupBy(records, (record) => record.topic);
  const topicMessages = [...byTopic].map(([topic, messages]) => ({ topic, messages }));
  const answers = await producer.sendBatch({ acks: -1, compression: type, topicMessages });
  // When leaders move between two tries, kafkajs can leave a partition out and still report success.
  for (const { topicName, partition } of answers) used.delete(`${topicName}/${partition}`);
  if (used.size > 0) {
    throw new StageError(
      'Kafka',
      'RecordsNotAcknowledged',
      `no acknowledgement from ${[...used].join(', ')}; sent again`,
    );
  }
  for (const { topicName, partition, baseOffset } of answers)
    goOn(reached, `${topicName}/${partition}`, baseOffset);
}

import { CompressionTypes, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import type { Credentials, Sections } from './config.ts';
import { ConfigError } from './config.ts';
import { StageError } from './health.ts';
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
};

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
  const admin = kafka.admin();
  try {
    await admin.connect();
    const present = await admin.listTopics();
    const missing = topics.filter((topic) => !present.includes(topic));
    if (missing.length === 0) return;
    const message = `no topic ${missing.join(', ')}; the provision job creates it: see its logs`;
    throw new StageError('Kafka', 'TopicMissing', message);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

export type Publisher = {
  /** Resolves when all in-sync replicas have every record; one call at a time. */
  publish(records: readonly KafkaRecord[]): Promise<void>;
  close(): Promise<void>;
};

/**
 * A publisher on an idempotent producer: a request that timed out and arrives late all the same is dropped by the
 * broker, so it can't put an old record behind a newer one of its key.
 */
export async function createPublisher(
  kafka: Kafka,
  compression: KafkaSection['compression'],
): Promise<Publisher> {
  const used = new Set<string>();
  let producer = await connectProducer(kafka, used);
  const type = compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  return {
    async publish(records) {
      try {
        await publish(producer, type, records, used);
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        // kafkajs takes the sequence numbers of all partitions back when one refuses its part, though others have stored
        // theirs: only a new producer begins with numbers that the brokers take.
        await producer.disconnect().catch(() => {});
        producer = await connectProducer(kafka, used);
        throw error;
      }
    },
    close: () => producer.disconnect(),
  };
}

/** A connected producer that notes in `used` the partitions it chooses, as `topic/partition`. */
async function connectProducer(kafka: Kafka, used: Set<string>): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: () => {
      const choose = Partitioners.DefaultPartitioner();
      return (message) => {
        const partition = choose(message);
        used.add(`${message.topic}/${partition}`);
        return partition;
      };
    },
  });
  await producer.connect();
  return producer;
}

async function publish(
  producer: Producer,
  type: CompressionTypes,
  records: readonly KafkaRecord[],
  used: Set<string>,
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
}

type Advice = { reason: string; next: string };

const DENIED: Advice = {
  reason: 'KafkaAccessDenied',
  next: 'check the credentials and the ACLs of the user',
};
const UNREACHABLE: Advice = {
  reason: 'BrokerUnreachable',
  next: 'check that the brokers are up and that bootstrapServers can be reached from this pod',
};

/** What a kafkajs error's `type` (the broker's words) or `name` means for the one who runs the pipeline. */
const ADVICE: Record<string, Advice> = {
  UNKNOWN_TOPIC_OR_PARTITION: { reason: 'TopicMissing', next: 'the provision job creates it: see its logs' },
  TOPIC_AUTHORIZATION_FAILED: DENIED,
  CLUSTER_AUTHORIZATION_FAILED: DENIED,
  SASL_AUTHENTICATION_FAILED: DENIED,
  KafkaJSSASLAuthenticationError: DENIED,
  NOT_ENOUGH_REPLICAS: { reason: 'NotEnoughReplicas', next: 'bring the missing brokers back' },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { reason: 'NotEnoughReplicas', next: 'bring the missing brokers back' },
  INVALID_REPLICATION_FACTOR: { reason: 'TooFewBrokers', next: 'lower kafka.topic.replicas or add brokers' },
  KafkaJSConnectionError: UNREACHABLE,
  KafkaJSConnectionClosedError: UNREACHABLE,
  KafkaJSRequestTimeoutError: UNREACHABLE,
  KafkaJSBrokerNotFound: UNREACHABLE,
};

/** The StageError that an error of kafkajs amounts to, with what to do about it. */
export function kafkaError(section: KafkaSection, error: unknown): StageError {
  if (error instanceof StageError) return error;
  const { name, type, message } = rootOf(error);
  const advice = ADVICE[type ?? ''] ?? ADVICE[name] ?? { reason: 'KafkaError', next: 'it is tried again' };
  const where = section.bootstrapServers.join(',');
  return new StageError('Kafka', advice.reason, `Kafka at ${where}: ${message}; ${advice.next}`, {
    cause: error,
  });
}

/** True for a batch or a record that the broker refuses for its size. */
export function isTooLarge(error: unknown): boolean {
  const { type } = rootOf(error);
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE';
}

type KafkaFault = { name: string; message: string; type?: string };

/** kafkajs wraps what happened in "number of retries exceeded"; the reason is at the bottom. */
function rootOf(error: unknown): KafkaFault {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? rootOf(cause) : (error as KafkaFault);
}

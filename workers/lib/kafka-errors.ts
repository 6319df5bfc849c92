import type { Sections } from './config.ts';
import { StageError } from './health.ts';

type Advice = { reason: string; next: string };

const DENIED: Advice = {
  reason: 'KafkaAccessDenied',
  next: 'check the credentials and the ACLs of the user',
};
const UNREACHABLE: Advice = {
  reason: 'BrokerUnreachable',
  next: 'check that the brokers are up and that bootstrapServers can be reached from this pod',
};
const REFUSED: Advice = {
  reason: 'TopicRefused',
  next: 'the cluster does not allow a topic to be what kafka.topic asks for: lower kafka.topic.maxMessageBytes to what it allows, or see its other fields; larger users become dead letters',
};

/** What a kafkajs error's `type` (the broker's words) or `name` means for the one who runs the pipeline. */
const ADVICE: Record<string, Advice> = {
  UNKNOWN_TOPIC_OR_PARTITION: { reason: 'TopicMissing', next: 'the provision job creates it: see its logs' },
  TOPIC_AUTHORIZATION_FAILED: DENIED,
  CLUSTER_AUTHORIZATION_FAILED: DENIED,
  GROUP_AUTHORIZATION_FAILED: {
    reason: 'KafkaAccessDenied',
    next: "allow the relay's user to Read the consumer group that bears the name of its replication slot",
  },
  SASL_AUTHENTICATION_FAILED: DENIED,
  KafkaJSSASLAuthenticationError: DENIED,
  NOT_ENOUGH_REPLICAS: { reason: 'NotEnoughReplicas', next: 'bring the missing brokers back' },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { reason: 'NotEnoughReplicas', next: 'bring the missing brokers back' },
  POLICY_VIOLATION: REFUSED,
  INVALID_CONFIG: REFUSED,
  INVALID_REPLICATION_FACTOR: { reason: 'TooFewBrokers', next: 'lower kafka.topic.replicas or add brokers' },
  KafkaJSConnectionError: UNREACHABLE,
  KafkaJSConnectionClosedError: UNREACHABLE,
  KafkaJSRequestTimeoutError: UNREACHABLE,
  KafkaJSBrokerNotFound: UNREACHABLE,
};

/** The StageError that an error of kafkajs amounts to, with what to do about it. */
export function kafkaError(section: Sections['kafka'], error: unknown): StageError {
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

/** kafkajs wraps what happened in "number of retries exceeded", or in a list for one topic; the reason is at the bottom. */
function rootOf(error: unknown): KafkaFault {
  const { cause, errors = [] } = error as { cause?: unknown; errors?: unknown[] };
  const inner = cause ?? errors[0];
  return inner instanceof Error ? rootOf(inner) : (error as KafkaFault);
}

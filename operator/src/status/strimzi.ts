import { type Check, notReady, READY, stuck } from './check.ts';
import { isObserved } from './observed.ts';

/** What Strimzi says of one of its resources, in the status that all of its kinds have. */
export type StrimziObject = {
  metadata: { name: string; generation?: number };
  status?: {
    observedGeneration?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
};

/** The conditions of the generation that stands now. */
function conditionsOf(object: StrimziObject) {
  return (isObserved(object) && object.status?.conditions) || [];
}

/** Readiness as Strimzi tells it. */
function clusterCheck(kafka: StrimziObject): Check {
  if (conditionsOf(kafka).some(({ type, status }) => type === 'Ready' && status === 'True')) return READY;
  const fault = kafka.status?.conditions?.find(
    ({ type, status }) => type === 'NotReady' && status === 'True',
  );
  if (fault) return notReady(fault.reason ?? 'NotReady', `Strimzi says: ${fault.message ?? 'not ready'}`);
  return notReady(
    'Starting',
    'Strimzi is making the Kafka cluster; if nothing happens, see whether its operator watches this namespace',
  );
}

/** What is wrong with a topic. One that Strimzi can't change goes on as it was. */
function topicCheck(topic: StrimziObject): Check {
  const fault = conditionsOf(topic).find(({ type, status }) => type === 'Ready' && status === 'False');
  if (!fault) return READY;
  const { reason = 'TopicNotReady', message = 'not ready' } = fault;
  const told = `Strimzi says of KafkaTopic ${topic.metadata.name}: ${message}`;
  if (reason !== 'NotSupported') return notReady(reason, told);
  const wayOut =
    'set kafka.topic back, or delete that KafkaTopic if it holds nothing of value: it is made anew as it is wanted';
  return { ...stuck('TopicChangeRefused', `${told}; ${wayOut}`), holds: false };
}

/** A change of the pools' storage that Strimzi doesn't take; it goes on with the storage that it has. */
const STORAGE_REFUSED = 'KafkaStorage';

/** What Strimzi warns of, which it does beside Ready. Of the storage that it ignores nobody else would tell. */
function warningCheck(objects: StrimziObject[]): Check {
  const warnings = objects.flatMap(conditionsOf).filter(({ type }) => type === 'Warning');
  const first = warnings.find(({ reason }) => reason === STORAGE_REFUSED) ?? warnings[0];
  if (!first) return READY;
  const reason = first.reason ?? 'Warning';
  const message = `Strimzi warns: ${[...new Set(warnings.map(({ message = '' }) => message))].join('; ')}`;
  if (reason !== STORAGE_REFUSED) return { ready: true, reason, message };
  const wayOut =
    'set the storage of kafka.strimzi back, or, if Kafka holds nothing of value, delete the pipeline with deletionPolicy Delete and make it anew';
  return { ...stuck(reason, `${message}; ${wayOut}`), holds: false };
}

/** All that Strimzi says of a Kafka cluster, its node pools and its topics. */
export function strimziChecks(
  kafka: StrimziObject,
  pools: StrimziObject[],
  topics: StrimziObject[],
): Check[] {
  return [warningCheck([kafka, ...pools]), clusterCheck(kafka), ...topics.map(topicCheck)];
}

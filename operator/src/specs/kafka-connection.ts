import { outsideNames, type PipelineKey } from '../api/names.ts';
import type { Pipeline, SpecOf } from '../api/resource.ts';
import { milliseconds } from '../api/scalars.ts';

/** How clients reach Kafka; its credentials are the keys `username` and `password` of the Secret. */
export type KafkaConnection = {
  bootstrapServers: string[];
  tls: boolean;
  saslMechanism?: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  secretName?: string;
  caSecret?: { name: string; key: string };
};

/** The connection of the pipeline's clients, to its own Kafka or an existing one. */
export function kafkaConnection(pipeline: PipelineKey & SpecOf<'kafka'>): KafkaConnection {
  const { external } = pipeline.spec.kafka;
  if (!external) {
    const host = `${pipeline.name}-kafka-bootstrap.${pipeline.namespace}.svc`;
    return { bootstrapServers: [`${host}:9092`], tls: false };
  }
  const { bootstrapServers, tls, authentication } = external;
  return {
    // A resource from before the API server looked at it may end with a comma.
    bootstrapServers: bootstrapServers
      .split(',')
      .map((server) => server.trim())
      .filter(Boolean),
    tls: tls.enabled,
    ...(authentication
      ? { saslMechanism: authentication.type, secretName: authentication.secretRef.name }
      : {}),
    ...(tls.enabled && tls.caSecretRef ? { caSecret: tls.caSecretRef } : {}),
  };
}

/** Replicas that must have a record before it counts as written: one broker may always be away. */
export function minInsyncReplicas(replicas: number): number {
  return replicas > 2 ? 2 : 1;
}

const DAY_MS = 24 * 3600 * 1000;

/** The settings of the users topic. */
export function topicConfig({ spec }: Pipeline): Record<string, string> {
  const { cleanup, retention } = spec.kafka.topic;
  return {
    'cleanup.policy': cleanup.join(','),
    'retention.ms': String(milliseconds(retention)),
    // A deletion is to be read for as long as any other change.
    'delete.retention.ms': String(milliseconds(retention)),
    // What a user was before it was changed or erased goes within a day, where the topic is compacted.
    'max.compaction.lag.ms': String(DAY_MS),
    ...limits(spec),
  };
}

/** The settings of the dead letters' topic. They are looked at by people: for a month, and for no week more until a segment is closed. */
export function deadLetterConfig({ spec }: Pipeline): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(30 * DAY_MS),
    'segment.ms': String(DAY_MS),
    // What a user was may stand in it, whatever its size.
    ...limits(spec),
  };
}

function limits({ kafka: { topic } }: Pipeline['spec']): Record<string, string> {
  return {
    'min.insync.replicas': String(minInsyncReplicas(topic.replicas)),
    'max.message.bytes': String(topic.maxMessageBytes),
  };
}

/** The topics that a managed registry keeps its schemas in. */
export function registryTopics(pipeline: PipelineKey & SpecOf<'kafka'>) {
  const { registryTopic } = outsideNames(pipeline, pipeline.spec.kafka.topic.name);
  return {
    journal: registryTopic,
    snapshots: `${registryTopic}-snapshots`,
    events: `${registryTopic}-events`,
  };
}

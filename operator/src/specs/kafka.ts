import { outsideNames } from '../api/names.ts';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { deadLetterConfig, minInsyncReplicas, registryTopics, topicConfig } from './kafka-connection.ts';
import { metadata } from './meta.ts';
import { containerSecurity } from './pod.ts';
import { canonicalQuantity, containerResources, type Resources } from './quantities.ts';

const API = 'kafka.strimzi.io/v1';
const CLUSTER = 'strimzi.io/cluster';

type Strimzi = NonNullable<Pipeline['spec']['kafka']['strimzi']>;

/** One of Strimzi's own: labelled as a part of the pipeline's Kafka cluster, which is named as the pipeline is. */
function resource(pipeline: Pipeline, kind: string, name: string, spec: Record<string, unknown>): KubeObject {
  const meta = metadata(pipeline, 'kafka', name);
  return {
    apiVersion: API,
    kind,
    metadata: { ...meta, labels: { ...meta.labels, [CLUSTER]: pipeline.name } },
    spec,
  };
}

/** Strimzi mounts what its containers write, so that the root file system can stay read-only. */
const podTemplate = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
};
const containerTemplate = { securityContext: containerSecurity };

type Pool = {
  replicas: number;
  storage: { size: string | number; className?: string | undefined };
  resources: Resources;
};

function nodePool(pipeline: Pipeline, role: 'controller' | 'broker', pool: Pool): KubeObject {
  const { replicas, storage, resources } = pool;
  const volume = {
    id: 0,
    type: 'persistent-claim',
    size: canonicalQuantity(storage.size),
    ...(storage.className ? { class: storage.className } : {}),
    kraftMetadata: 'shared',
    deleteClaim: pipeline.spec.deletionPolicy === 'Delete',
  };
  return resource(pipeline, 'KafkaNodePool', `${pipeline.name}-${role}s`, {
    replicas,
    roles: [role],
    storage: { type: 'jbod', volumes: [volume] },
    resources: containerResources(resources),
    template: { pod: podTemplate, kafkaContainer: containerTemplate },
  });
}

/** Every topic of the cluster, Kafka's own included, gets as many copies as there are brokers, up to three. */
function brokerConfig(brokers: number): Record<string, string> {
  const replicas = String(Math.min(3, brokers));
  const insync = String(minInsyncReplicas(Math.min(3, brokers)));
  return {
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': insync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': insync,
  };
}

function cluster(pipeline: Pipeline, { version, brokers, config }: Strimzi): KubeObject {
  return resource(pipeline, 'Kafka', pipeline.name, {
    kafka: {
      ...(version ? { version } : {}),
      listeners: [{ name: 'plain', port: 9092, type: 'internal', tls: false }],
      config: { ...brokerConfig(brokers.replicas), ...config },
      template: { pod: podTemplate },
    },
    entityOperator: {
      topicOperator: {},
      template: { pod: podTemplate, topicOperatorContainer: containerTemplate },
    },
  });
}

function topic(
  pipeline: Pipeline,
  name: string,
  topicName: string,
  partitions: number,
  config: Record<string, string>,
) {
  const { replicas } = pipeline.spec.kafka.topic;
  return resource(pipeline, 'KafkaTopic', `${pipeline.name}-${name}`, {
    topicName,
    partitions,
    replicas,
    config,
  });
}

/** The topics as Strimzi's resources; its topic operator makes them. */
function topics(pipeline: Pipeline): KubeObject[] {
  const names = outsideNames(pipeline, pipeline.spec.kafka.topic.name);
  const kept = {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'min.insync.replicas': String(minInsyncReplicas(pipeline.spec.kafka.topic.replicas)),
  };
  const users = [
    topic(pipeline, 'users', names.topic, pipeline.spec.kafka.topic.partitions, topicConfig(pipeline)),
    topic(pipeline, 'dead-letter', names.deadLetterTopic, 1, deadLetterConfig(pipeline)),
  ];
  if (!pipeline.spec.schemaRegistry.managed) return users;
  const registry = Object.entries(registryTopics(pipeline)).map(([name, topicName]) =>
    topic(pipeline, `registry-${name}`, topicName, 1, kept),
  );
  return [...users, ...registry];
}

/** The Kafka cluster and its topics for Strimzi's operator; nothing where Kafka is an existing one. */
export function kafkaObjects(pipeline: Pipeline): KubeObject[] {
  const { strimzi } = pipeline.spec.kafka;
  if (!strimzi) return [];
  return [
    nodePool(pipeline, 'controller', strimzi.controllers),
    nodePool(pipeline, 'broker', strimzi.brokers),
    cluster(pipeline, strimzi),
    ...topics(pipeline),
  ];
}

import type { AuditConfig } from '../../../workers/audit/config.ts';
import type { Sections } from '../../../workers/lib/config.ts';
import type { Field } from '../api/fields.ts';
import { outsideNames, type PipelineKey } from '../api/names.ts';
import { type ReplayFrom, replayOf } from '../api/replay.ts';
import type { Pipeline, SpecOf } from '../api/resource.ts';
import { milliseconds } from '../api/scalars.ts';
import type { System } from './access.ts';
import { deadLetterConfig, kafkaConnection, registryTopics, topicConfig } from './kafka-connection.ts';
import { objectName, serviceHost } from './meta.ts';

/** What the streaming job reads beside the sections that it shares with the workers. */
export type SparkSection = {
  sql: string;
  triggerMs: number;
  maxOffsetsPerTrigger: number;
  checkpointLocation: string;
  replayFrom?: ReplayFrom;
};

/** What `provision` undoes outside the namespace when the pipeline is deleted. */
export type TeardownSection = {
  topics: boolean;
  subject: boolean;
  slot: boolean;
  tables: boolean;
  keyspace: boolean;
};

export type PipelineSections = Omit<Sections, 'fields' | 'topics' | 'cassandra'> & {
  fields: Field[];
  cassandra: Sections['cassandra'] & { managed: boolean };
  topics?: Sections['topics'];
  /** The topics of a managed registry, which `provision` makes; Strimzi's topic operator does where Kafka is its. */
  registryTopics: string[];
  spark: SparkSection;
  audit: AuditConfig['audit'];
  teardown: TeardownSection;
};

/** Where the volume of the checkpoint is mounted. */
export const CHECKPOINT_DIRECTORY = '/var/lib/spark';

/** The API's budget is for all pods of ingest together: they draw on it in Postgres. */
function source({ spec: { source } }: Pipeline): Sections['source'] {
  const { url, batchSize, interval, seed, nationalities, rateLimit } = source;
  return {
    url,
    batchSize,
    intervalMs: milliseconds(interval),
    seed,
    nationalities,
    rateLimit: { users: rateLimit.users, perMs: milliseconds(rateLimit.per) },
  };
}

function postgres(pipeline: Pipeline): Sections['postgres'] {
  const { publication, slot } = outsideNames(pipeline);
  const { external } = pipeline.spec.postgres;
  if (!external) {
    const host = serviceHost(pipeline, 'postgres');
    return { host, port: 5432, database: 'userstream', tls: false, publication, slot };
  }
  const { host, port, database, tls } = external;
  return { host, port, database, tls: tls.enabled, publication, slot };
}

function kafka(pipeline: Pipeline): Sections['kafka'] {
  const { bootstrapServers, tls, saslMechanism } = kafkaConnection(pipeline);
  const { topic, deadLetterTopic } = outsideNames(pipeline, pipeline.spec.kafka.topic.name);
  const { compression } = pipeline.spec.relay;
  return {
    bootstrapServers,
    tls,
    ...(saslMechanism ? { saslMechanism } : {}),
    compression,
    topic,
    deadLetterTopic,
  };
}

function topics(pipeline: Pipeline): Sections['topics'] {
  const { partitions, replicas } = pipeline.spec.kafka.topic;
  const [config, letters] = [topicConfig(pipeline), deadLetterConfig(pipeline)];
  return { partitions, replicas, config, deadLetterConfig: letters };
}

/** Where the schema of a user is kept, and as what. */
export function registrySection(
  pipeline: PipelineKey & SpecOf<'kafka' | 'schemaRegistry'>,
): Sections['schemaRegistry'] {
  const { subject } = outsideNames(pipeline, pipeline.spec.kafka.topic.name);
  const managed = `http://${serviceHost(pipeline, 'registry')}:8080/apis/ccompat/v7`;
  return { url: pipeline.spec.schemaRegistry.external?.url ?? managed, subject };
}

/** Where users end, and how that is reached. */
export function cassandraSection(pipeline: PipelineKey & SpecOf<'cassandra'>): PipelineSections['cassandra'] {
  const { keyspace, table, replicationFactor, external } = pipeline.spec.cassandra;
  const where = external
    ? {
        contactPoints: external.contactPoints,
        port: external.port,
        localDatacenter: external.localDatacenter,
        tls: external.tls.enabled,
      }
    : { contactPoints: [serviceHost(pipeline, 'cassandra')], port: 9042, localDatacenter: 'dc1', tls: false };
  return { ...where, managed: !external, keyspace, table, replicationFactor };
}

function topicsOfRegistry(pipeline: Pipeline): string[] {
  const { kafka, schemaRegistry } = pipeline.spec;
  return kafka.external && schemaRegistry.managed ? Object.values(registryTopics(pipeline)) : [];
}

/** Where the stream is asked to begin again; what makes no sense asks for nothing. */
function replay({ annotations }: Pipeline): Pick<SparkSection, 'replayFrom'> {
  const { from } = replayOf(annotations);
  return from ? { replayFrom: from } : {};
}

function spark(pipeline: Pipeline): SparkSection {
  const { spark } = pipeline.spec;
  return {
    sql: spark.sql,
    triggerMs: milliseconds(spark.trigger),
    maxOffsetsPerTrigger: spark.maxOffsetsPerTrigger,
    checkpointLocation: spark.checkpoint.uri ?? `file://${CHECKPOINT_DIRECTORY}/checkpoint`,
    ...replay(pipeline),
  };
}

function audit(pipeline: Pipeline): AuditConfig['audit'] {
  const { interval, usersPerSecond } = pipeline.spec.audit;
  const driverUrl = `http://${serviceHost(pipeline, 'spark')}:8080`;
  return { intervalMs: milliseconds(interval), usersPerSecond, driverUrl };
}

function teardown({ spec }: Pipeline): TeardownSection {
  const forget = spec.deletionPolicy === 'Delete';
  return {
    topics: forget && spec.kafka.external !== undefined,
    subject: forget && spec.schemaRegistry.external !== undefined,
    // A slot that nobody reads keeps its WAL: on a server that lives on it would fill the disk.
    slot: spec.postgres.external !== undefined,
    tables: forget && spec.postgres.external !== undefined,
    keyspace: forget && spec.cassandra.external !== undefined,
  };
}

/** Everything that the workers and the streaming job are told of the pipeline; credentials come by environment. */
export function sections(pipeline: Pipeline): PipelineSections {
  return {
    pipeline: { namespace: pipeline.namespace, name: pipeline.name },
    source: source(pipeline),
    fields: pipeline.spec.fields,
    postgres: postgres(pipeline),
    kafka: kafka(pipeline),
    ...(pipeline.spec.kafka.external ? { topics: topics(pipeline) } : {}),
    registryTopics: topicsOfRegistry(pipeline),
    schemaRegistry: registrySection(pipeline),
    cassandra: cassandraSection(pipeline),
    spark: spark(pipeline),
    audit: audit(pipeline),
    teardown: teardown(pipeline),
  };
}

/** The text of a `config.json` with the named sections, as far as the pipeline has them. */
export function configJson(pipeline: Pipeline, names: (keyof PipelineSections)[]): string {
  const all = sections(pipeline);
  const chosen = names.filter((name) => all[name] !== undefined).map((name) => [name, all[name]]);
  return `${JSON.stringify(Object.fromEntries(chosen), null, 2)}\n`;
}

/** The systems outside the namespace in which something is to be undone when the pipeline is deleted. */
export function teardownSystems(pipeline: Pipeline): System[] {
  const { topics, subject, slot, tables, keyspace } = teardown(pipeline);
  return [
    ...(topics ? (['KAFKA'] as const) : []),
    ...(subject ? (['SCHEMA_REGISTRY'] as const) : []),
    ...(slot || tables ? (['POSTGRES'] as const) : []),
    ...(keyspace ? (['CASSANDRA'] as const) : []),
  ];
}

export const cassandraHost = (pipeline: Pipeline, ordinal: number) =>
  `${objectName(pipeline, 'cassandra')}-${ordinal}.${serviceHost(pipeline, 'cassandra')}`;

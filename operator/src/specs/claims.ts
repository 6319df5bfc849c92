import { z } from 'zod';
import { cassandra } from '../api/cassandra.ts';
import { kafka } from '../api/kafka.ts';
import { outsideNames } from '../api/names.ts';
import { schemaRegistry } from '../api/schema-registry.ts';
import { cassandraSection, registrySection } from './config.ts';
import { kafkaConnection, registryTopics } from './kafka-connection.ts';

/**
 * A name on a system that others may use, too, be it by the address of another's own; `at`: the addresses by which it is
 * reached. Two names of one host count as two hosts.
 */
export type Claim = {
  what: string;
  at: string[];
  remedy: string;
  /** Of the teardown, the part that takes it away. */
  part: 'topics' | 'subject' | 'keyspace';
};

const placed = z.object({
  namespace: z.string(),
  name: z.string(),
  spec: z.object({ kafka, schemaRegistry, cassandra }),
});

/** What of a pipeline says which names it has where. */
type Placed = z.infer<typeof placed>;

const RENAME = 'set another kafka.topic.name';

/** As clients of a namespace name it, who may write it in several ways; a host without a dot is a Service of their own. */
const address = (text: string, { namespace }: Placed) =>
  text
    .toLowerCase()
    .replace(/\/+$/, '')
    .replace('.svc.cluster.local', '.svc')
    .replace(/^(https?:\/\/|(?!https?:))([a-z0-9-]+)(?=[:/]|$)/, `$1$2.${namespace}.svc`);

function topicClaims(pipeline: Placed): Claim[] {
  const { topic, deadLetterTopic } = outsideNames(pipeline, pipeline.spec.kafka.topic.name);
  const schemas = pipeline.spec.schemaRegistry.managed ? Object.values(registryTopics(pipeline)) : [];
  const at = kafkaConnection(pipeline).bootstrapServers.map((server) => address(server, pipeline));
  return [topic, deadLetterTopic, ...schemas].map((name) => ({
    what: `topic ${name}`,
    at,
    remedy: RENAME,
    part: 'topics',
  }));
}

function subjectClaim(pipeline: Placed): Claim {
  const { subject, url } = registrySection(pipeline);
  return { what: `subject ${subject}`, at: [address(url, pipeline)], remedy: RENAME, part: 'subject' };
}

function tableClaim(pipeline: Placed): Claim {
  const { keyspace, table, contactPoints, port } = cassandraSection(pipeline);
  const at = contactPoints.map((host) => address(`${host}:${port}`, pipeline));
  const remedy = 'set another cassandra.keyspace or cassandra.table';
  return { what: `table ${keyspace}.${table}`, at, remedy, part: 'keyspace' };
}

/** What a pipeline holds for itself. A database of Postgres tells whose it is by itself. */
export function claimsOf(pipeline: Placed): Claim[] {
  return [...topicClaims(pipeline), subjectClaim(pipeline), tableClaim(pipeline)];
}

type Stored = { metadata: { namespace?: string; name: string }; [field: string]: unknown };

/** What a pipeline claims as the API server holds it; nothing, where it can't be read any more. */
export function claimsOfStored({ metadata, spec }: Stored): Claim[] {
  const { success, data } = placed.safeParse({ ...metadata, spec });
  return success ? claimsOf(data) : [];
}

/** A claim as one text for each of its addresses: two are of the same if they have one in common. */
export const idsOf = ({ what, at }: Claim) => at.map((address) => `${what} at ${address}`);

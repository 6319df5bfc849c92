import { z } from 'zod';
import { cassandra } from './cassandra.ts';
import { kafka } from './kafka.ts';
import { outsideNames } from './names.ts';

/** A name on a system that others use, too; `at`: the addresses by which it is reached. */
export type Claim = { what: string; at: string[]; remedy: string };

const addresses = (list: string) => list.split(',').map((address) => address.trim());

const named = z.object({
  namespace: z.string(),
  name: z.string(),
  spec: z.object({ kafka, cassandra }),
});

type Named = z.infer<typeof named>;

function topicClaim(pipeline: Named): Claim[] {
  const { topic, external } = pipeline.spec.kafka;
  if (!external) return [];
  const what = `topic ${outsideNames(pipeline, topic.name).topic}`;
  return [{ what, at: addresses(external.bootstrapServers), remedy: 'set another kafka.topic.name' }];
}

function tableClaim({ spec: { cassandra } }: Named): Claim[] {
  const { keyspace, table, external } = cassandra;
  if (!external) return [];
  const at = external.contactPoints.map((host) => `${host}:${external.port}`);
  const remedy = 'set another cassandra.keyspace or cassandra.table';
  return [{ what: `table ${keyspace}.${table}`, at, remedy }];
}

/** What a pipeline holds for itself on systems that live on without it. A database of Postgres tells whose it is by itself. */
export function claimsOf(pipeline: Named): Claim[] {
  return [...topicClaim(pipeline), ...tableClaim(pipeline)];
}

type Stored = { metadata: { namespace?: string; name: string }; [field: string]: unknown };
type Externals = Partial<Record<'kafka' | 'cassandra', { external?: unknown }>>;

/** What a pipeline claims as the API server holds it; nothing, where it can't be read any more. */
export function claimsOfStored({ metadata, spec }: Stored): Claim[] {
  const { kafka, cassandra } = (spec ?? {}) as Externals;
  if (!kafka?.external && !cassandra?.external) return [];
  const { success, data } = named.safeParse({ ...metadata, spec });
  return success ? claimsOf(data) : [];
}

/** The first of `claims` that is also one of `others`: the same name, at an address in common. */
export function clash(claims: Claim[], others: Claim[]): Claim | undefined {
  const isSame = (one: Claim) => (other: Claim) =>
    one.what === other.what && one.at.some((address) => other.at.includes(address));
  return claims.find((claim) => others.some(isSame(claim)));
}

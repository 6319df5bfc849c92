import { z } from 'zod';
import { AUDIT_RULES, audit } from './audit.ts';
import { cassandra } from './cassandra.ts';
import { fields } from './fields.ts';
import { kafka } from './kafka.ts';
import { resources } from './parts.ts';
import { postgres } from './postgres.ts';
import { integer } from './scalars.ts';
import { schemaRegistry } from './schema-registry.ts';
import { source } from './source.ts';
import { spark } from './spark.ts';

export const GROUP = 'userstream.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'UserStreamPipeline';

const ingest = z
  .object({
    replicas: integer('How many pods fetch; they share the rate limit.', 1, 20).default(1),
    resources: resources({ cpu: '20m', memory: '128Mi' }, { memory: '512Mi' }),
  })
  .prefault({})
  .meta({ description: 'The worker that fetches users into Postgres.' });

const relay = z
  .object({
    replicas: integer('How many pods there are: one works, the rest stand by.', 1, 5).default(2),
    compression: z
      .enum(['none', 'gzip'])
      .default('gzip')
      .meta({ description: 'Compression of the records in Kafka.' }),
    resources: resources({ cpu: '20m', memory: '128Mi' }, { memory: '512Mi' }),
  })
  .prefault({})
  .meta({ description: 'The worker that carries changes from Postgres to Kafka.' });

/** The spec of a UserStreamPipeline: the one source of types, defaults, the CRD's schema and the field reference. */
export const pipelineSpec = z
  .object({
    suspend: z.boolean().default(false).meta({
      description:
        'Stops fetching; Spark ends once what was fetched stands in Cassandra. The relay goes on, so that no WAL piles up.',
    }),
    deletionPolicy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .meta({ description: 'What happens to volumes, Secrets and topics when the pipeline is deleted.' }),
    source,
    fields,
    ingest,
    postgres,
    relay,
    kafka,
    schemaRegistry,
    spark,
    cassandra,
    audit,
  })
  .meta({
    description: 'The pipeline as it should be.',
    'x-kubernetes-validations': [
      {
        rule: 'self.source.batchSize <= self.source.rateLimit.users',
        fieldPath: '.source.batchSize',
        message: 'source.batchSize must not exceed source.rateLimit.users: no request could be made',
      },
      ...AUDIT_RULES,
    ],
  });

export type PipelineSpec = z.infer<typeof pipelineSpec>;

import { z } from 'zod';
import { quantity } from './scalars.ts';

/** The stages of a pipeline, in the order of the flow; each has a condition `<Stage>Ready`. */
export const STAGES = ['Postgres', 'Kafka', 'SchemaRegistry', 'Cassandra', 'Spark', 'Workers'] as const;
export type StageName = (typeof STAGES)[number];

const condition = z
  .object({
    type: z.string().max(316).meta({ description: 'What is said to be so, as in Ready or PostgresReady.' }),
    status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it is so.' }),
    reason: z.string().max(1024).meta({ description: 'Why, in one CamelCase word.' }),
    message: z.string().max(32_768).meta({ description: 'Why, for a person, and what to do next.' }),
    observedGeneration: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .meta({ description: 'The generation this was seen of.' }),
    lastTransitionTime: z.iso.datetime().meta({ description: 'When the status last changed.' }),
  })
  .meta({ description: 'One thing that was observed.' });

export type Condition = z.infer<typeof condition>;

/** A count of the flow: whole, because the API's conventions allow no floating point. */
const figure = (description: string) =>
  z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({ description });

/** The stages whose volumes the operator makes. */
export const STAGES_WITH_VOLUMES = ['Postgres', 'Spark', 'Cassandra'] as const satisfies StageName[];

const volume = z
  .object({
    stage: z.enum(STAGES_WITH_VOLUMES).meta({ description: 'Whose volume it is.' }),
    size: quantity('The size that it has.'),
  })
  .meta({ description: 'The smallest volume of a stage.' });

const figures = z
  .object({
    usersPerMinute: figure('Users that reached Cassandra in the last minute.'),
    lagRecords: figure('Records in the topic that Spark has yet to read.'),
    lagBytes: figure('Bytes of WAL in Postgres that the relay has yet to read.'),
    latencyP50Millis: figure(
      'Milliseconds from commit in Postgres to readable in Cassandra within which half of the users arrived, in the last minute in which any did.',
    ),
    latencyP99Millis: figure('The same, of 99 % of the users.'),
  })
  .meta({ description: 'How much flows and how far behind it is, renewed once a minute at most.' });

const audit = z
  .object({
    comparedTime: z.iso.datetime().meta({
      description: 'When it was completed. Renewed when a count changes, else once an hour at most.',
    }),
    seconds: figure('How long it took; renewed with comparedTime.'),
    users: figure('Users in Postgres.'),
    rows: figure('Rows in Cassandra.'),
    differing: figure('Users on which the two differ.'),
    unsettled: figure('Users that changed at each look, so that nothing can be said of them.'),
  })
  .meta({ description: 'What the last comparison of Postgres with Cassandra that was completed has found.' });

/** What stands there until the operator has looked: the API server fills it in, so that tools find `Ready` at once. */
const unseen: Condition = {
  type: 'Ready',
  status: 'Unknown',
  reason: 'Unseen',
  message: 'No operator has looked at it yet; if this lasts, see that userstream-operator runs.',
  observedGeneration: 0,
  lastTransitionTime: '1970-01-01T00:00:00Z',
};

export const pipelineStatus = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'The generation that the conditions are of.' }),
    conditions: z
      .array(condition)
      .max(32)
      .optional()
      .meta({
        description: 'What was observed: Ready, Reconciling, Stalled, one condition a stage, and DataIntact.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    dataSince: z.iso.datetime().optional().meta({
      description:
        'When the stores were first ready to hold data. From then on the spec refuses changes that would lose it.',
    }),
    teardownSince: z.iso.datetime().optional().meta({
      description:
        'When the operator began to take a deleted pipeline apart. What it may wait for is counted from then.',
    }),
    volumes: z
      .array(volume)
      .max(STAGES_WITH_VOLUMES.length)
      .optional()
      .meta({
        description:
          'Volumes that are smaller than the spec asks for. It may be set back to the size that they have, not below.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['stage'],
      }),
    figures: figures.optional(),
    audit: audit.optional(),
    endpoints: z
      .object({
        postgres: z.string().max(512).optional().meta({ description: 'Postgres, as host:port/database.' }),
        kafka: z.string().max(2048).optional().meta({ description: 'Bootstrap servers of Kafka.' }),
        topic: z.string().max(249).optional().meta({ description: 'The topic that carries the users.' }),
        schemaRegistry: z
          .string()
          .max(2048)
          .optional()
          .meta({ description: 'Address of the schema registry.' }),
        cassandra: z
          .string()
          .max(6144)
          .optional()
          .meta({ description: 'The table in Cassandra, as host:port/keyspace.table.' }),
      })
      .optional()
      .meta({ description: 'Where the parts of the pipeline are reached.' }),
  })
  .default({ conditions: [unseen] })
  .meta({ description: 'The pipeline as it was last seen.' });

export type PipelineStatus = z.infer<typeof pipelineStatus>;

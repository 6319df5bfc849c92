import { z } from 'zod';
import { atLeast, executorResources, resources, storage } from './parts.ts';
import { duration, integer, settings } from './scalars.ts';

/** 60 % of a container's memory becomes its heap, and Spark refuses one below 450 MiB. */
const enoughMemory = atLeast('resources.limits.memory', '768Mi', 'Spark does not start with less');

export const spark = z
  .object({
    sql: z.string().min(1).max(16_384).regex(/\S/).default('SELECT * FROM users').meta({
      description:
        'A row-wise projection and filter over the view users that keeps the column id. A user that it leaves out is deleted from Cassandra.',
    }),
    trigger: duration('Time between the starts of two micro-batches.').default('1s'),
    maxOffsetsPerTrigger: integer('Records in a micro-batch at most.', 1, 100_000_000).default(100_000),
    driver: z
      .object({ resources: resources({ cpu: '100m', memory: '1Gi' }, { memory: '1536Mi' }) })
      .prefault({})
      .meta({ description: "Spark's driver, one pod.", 'x-kubernetes-validations': [enoughMemory] }),
    executor: z
      .object({
        instances: integer('How many executor pods there are.', 1, 100).default(2),
        resources: executorResources({ cpu: '100m' }, { memory: '1536Mi' }),
      })
      .prefault({})
      .meta({ description: "Spark's executors.", 'x-kubernetes-validations': [enoughMemory] }),
    checkpoint: z
      .object({
        storage: storage('1Gi'),
        uri: z
          .string()
          .max(2048)
          .regex(/^[a-z0-9]+:\/\/\S+$/)
          .optional()
          .meta({ description: 'A directory on any Hadoop file system, instead of the volume.' }),
      })
      .prefault({})
      .meta({ description: 'Where Spark keeps how far it has come.' }),
    conf: settings("Spark's own properties, as in spark.sql.shuffle.partitions."),
  })
  .prefault({})
  .meta({ description: 'The Spark job between Kafka and Cassandra.' });

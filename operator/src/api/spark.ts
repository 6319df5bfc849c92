import { z } from 'zod';
import { atLeast, executorResources, resources, storage } from './parts.ts';
import { address, characters, integer, interval, NO_BLANK, settings } from './scalars.ts';

/** Properties that the job's correctness, its network and its rights rest on: the operator and the job set them. */
export const RESERVED_PROPERTIES = [
  'spark.app.name',
  'spark.master',
  'spark.submit.deployMode',
  'spark.driver.host',
  'spark.driver.bindAddress',
  'spark.driver.port',
  'spark.driver.blockManager.port',
  'spark.blockManager.port',
  'spark.driver.extraJavaOptions',
  'spark.executor.extraJavaOptions',
  'spark.executorEnv.PYTHONPATH',
  'spark.kubernetes.namespace',
  'spark.kubernetes.container.image',
  'spark.kubernetes.driver.container.image',
  'spark.kubernetes.executor.container.image',
  'spark.kubernetes.driver.pod.name',
  'spark.kubernetes.authenticate.driver.serviceAccountName',
  'spark.kubernetes.authenticate.executor.serviceAccountName',
  'spark.kubernetes.executor.podTemplateFile',
  'spark.kubernetes.executor.podTemplateContainerName',
  'spark.kubernetes.executor.disableConfigMap',
  'spark.kubernetes.driver.service.deleteOnTermination',
  'spark.kubernetes.driver.ownPersistentVolumeClaim',
  'spark.kubernetes.driver.reusePersistentVolumeClaim',
  'spark.sql.catalogImplementation',
  'spark.sql.session.timeZone',
  'spark.sql.adaptive.enabled',
  'spark.sql.ansi.enabled',
  'spark.sql.legacy.timeParserPolicy',
  'spark.sql.streaming.minBatchesToRetain',
  'spark.sql.streaming.numRecentProgressUpdates',
  'spark.ui.enabled',
  'spark.ui.showConsoleProgress',
];

/** 60 % of a container's memory becomes its heap, and Spark refuses one below 450 MiB. */
const enoughMemory = atLeast('resources.limits.memory', '768Mi', 'Spark does not start with less');

export const spark = z
  .object({
    sql: characters(16_384).min(1).regex(new RegExp(NO_BLANK)).default('SELECT * FROM users').meta({
      description:
        'A row-wise projection and filter over the view users that keeps the column id. A user that it leaves out is deleted from Cassandra.',
    }),
    trigger: interval('Time between the starts of two micro-batches.').default('1s'),
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
        uri: address('[a-z0-9]+').optional().meta({
          description:
            'A directory on a Hadoop file system that the Spark image has a class for, instead of the volume.',
        }),
      })
      .prefault({})
      .meta({ description: 'Where Spark keeps how far it has come.' }),
    conf: settings(
      "Spark's own properties, as in spark.sql.shuffle.partitions. Sizes and times that the operator chose give way to them.",
    ),
  })
  .prefault({})
  .meta({
    description: 'The Spark job between Kafka and Cassandra.',
    'x-kubernetes-validations': [
      {
        rule: `!has(self.conf) || !self.conf.exists(name, name in ${JSON.stringify(RESERVED_PROPERTIES)})`,
        fieldPath: '.conf',
        message: `conf must not set what the operator sets: ${RESERVED_PROPERTIES.join(', ')}; options of one's own for the JVM go into spark.driver.defaultJavaOptions and spark.executor.defaultJavaOptions`,
      },
    ],
  });

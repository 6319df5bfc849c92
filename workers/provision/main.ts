import { z } from 'zod';
import { accessOf } from '../lib/access.ts';
import { ConfigError, readConfig, sections } from '../lib/config.ts';
import { runWorker, type WorkerContext } from '../lib/main.ts';
import { subjectClient } from '../lib/registry.ts';
import { untilDone } from '../lib/retry.ts';
import { grantCassandra, grantPostgres } from './audit.ts';
import { columnsInCassandra, dropTable, provisionCassandra } from './cassandra.ts';
import { columnsInPostgres } from './columns.ts';
import { deleteTopics, provisionTopics, topicWishes } from './kafka.ts';
import { alone, dropSlot, dropTables, provisionPostgres } from './postgres.ts';
import { provisionSchema } from './schema.ts';

const configSchema = z.object({
  pipeline: sections.pipeline,
  fields: sections.fields,
  postgres: sections.postgres,
  kafka: sections.kafka,
  topics: sections.topics.optional(),
  /** Topics that a managed registry keeps its schemas in. */
  registryTopics: z.array(z.string().min(1)).default([]),
  schemaRegistry: sections.schemaRegistry,
  cassandra: sections.cassandra.extend({ managed: z.boolean().default(true) }),
  /** What `teardown` takes away. */
  teardown: z
    .object({
      topics: z.boolean(),
      subject: z.boolean(),
      slot: z.boolean(),
      tables: z.boolean(),
      keyspace: z.boolean(),
    })
    .optional(),
});

type Config = z.infer<typeof configSchema>;
type Step = { name: string; run(): Promise<void> };

/** A Job that is told to stop before it is done has failed: it must be run again. */
const UNFINISHED = 1;

/** `main.ts` makes what a pipeline needs in each of its neighbours; `main.ts teardown` takes it away again. */
await runWorker(
  'provision',
  async (context) => {
    const config = readConfig(configSchema, context.configFile);
    const command = process.argv[2];
    if (command !== undefined && command !== 'teardown') {
      throw new ConfigError(`provision knows no command ${command}: give teardown, or nothing`);
    }
    const steps = command === 'teardown' ? teardown(config, context) : provision(config, context);
    for (const step of steps) {
      await untilDone(step.run, context);
      context.log.info({ step: step.name }, 'done');
    }
  },
  UNFINISHED,
);

function provision(config: Config, context: WorkerContext): Step[] {
  const { fields, postgres, kafka, topics, registryTopics, schemaRegistry, cassandra } = config;
  const access = accessOf(context.env);
  const [toPostgres, toCassandra] = [access('POSTGRES'), access('CASSANDRA')];
  const wishes = topicWishes(kafka, topics, registryTopics);
  const subject = subjectClient(schemaRegistry, access('SCHEMA_REGISTRY').credentials);
  const tables = [columnsInCassandra(cassandra, toCassandra), columnsInPostgres(postgres, toPostgres)];
  return [
    { name: 'Postgres', run: () => provisionPostgres(postgres, toPostgres) },
    { name: 'Kafka', run: () => provisionTopics(kafka, access('KAFKA'), context.log, wishes) },
    { name: 'Cassandra', run: () => provisionCassandra(cassandra, toCassandra) },
    {
      name: 'SchemaRegistry',
      run: () => alone(postgres, toPostgres, () => provisionSchema(subject, fields, tables)),
    },
    ...auditRoles(config, access),
  ];
}

/** The rights of the audit's roles in what is managed: on existing systems they are their owner's to give. */
function auditRoles({ postgres, cassandra }: Config, access: ReturnType<typeof accessOf>): Step[] {
  const inPostgres = access('AUDIT_POSTGRES').credentials;
  const inCassandra = access('AUDIT_CASSANDRA').credentials;
  const [toPostgres, toCassandra] = [access('POSTGRES'), access('CASSANDRA')];
  return [
    ...(inPostgres
      ? [{ name: 'AuditInPostgres', run: () => grantPostgres(postgres, toPostgres, inPostgres) }]
      : []),
    ...(inCassandra
      ? [{ name: 'AuditInCassandra', run: () => grantCassandra(cassandra, toCassandra, inCassandra) }]
      : []),
  ];
}

function teardown(config: Config, context: WorkerContext): Step[] {
  const { teardown: wanted, postgres, kafka, registryTopics, schemaRegistry, cassandra } = config;
  if (!wanted) throw new ConfigError('teardown: this section is missing; say what to take away');
  const access = accessOf(context.env);
  const topics = [kafka.topic, kafka.deadLetterTopic, ...registryTopics];
  const subject = subjectClient(schemaRegistry, access('SCHEMA_REGISTRY').credentials);
  const steps: [boolean, Step][] = [
    [wanted.slot, { name: 'slot', run: () => dropSlot(postgres, access('POSTGRES')) }],
    [wanted.tables, { name: 'tables', run: () => dropTables(postgres, access('POSTGRES')) }],
    [wanted.subject, { name: 'subject', run: () => subject.remove() }],
    [wanted.topics, { name: 'topics', run: () => deleteTopics(kafka, access('KAFKA'), context.log, topics) }],
    [wanted.keyspace, { name: 'keyspace', run: () => dropTable(cassandra, access('CASSANDRA')) }],
  ];
  return steps.filter(([asked]) => asked).map(([, step]) => step);
}

import { z } from 'zod';
import { SparkDriver } from '../audit/driver.ts';
import { accessOf } from '../lib/access.ts';
import { ConfigError, readConfig, sections } from '../lib/config.ts';
import { runWorker } from '../lib/main.ts';
import { erase } from './erase.ts';
import { report } from './report.ts';

const configSchema = z.object({
  pipeline: sections.pipeline,
  postgres: sections.postgres,
  kafka: sections.kafka,
  cassandra: sections.cassandra,
});

/** A Job that is told to stop before it is done has failed: it must be run again. */
const UNFINISHED = 1;

/** `main.ts ID DRIVER_URL` deletes a user, and prints what it proved of every store; Spark's driver says how far the stream is. */
await runWorker(
  'erase',
  async ({ health, log, signal, configFile, env }) => {
    const config = readConfig(configSchema, configFile);
    const id = z.guid().toLowerCase().safeParse(process.argv[2]).data;
    if (id === undefined)
      throw new ConfigError(`${process.argv[2] ?? 'nothing'} is not a user's id: give a UUID`);
    const driverUrl = z.url({ protocol: /^https?$/ }).safeParse(process.argv[3]).data;
    if (driverUrl === undefined)
      throw new ConfigError(`${process.argv[3] ?? 'nothing'} is not the URL of Spark's driver`);
    const accessTo = accessOf(env);
    const access = {
      POSTGRES: accessTo('POSTGRES'),
      KAFKA: accessTo('KAFKA'),
      CASSANDRA: accessTo('CASSANDRA'),
    };
    const driver = new SparkDriver(driverUrl, signal);
    const proof = await erase({ config, access, driver, health, log, signal }, id);
    const { keyspace, table } = config.cassandra;
    process.stdout.write(`${report(proof, `${keyspace}.${table}`).join('\n')}\n`);
  },
  UNFINISHED,
);

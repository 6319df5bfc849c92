import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jarsOf } from '../../test/jars.ts';
import { postgresEnvironment } from '../../test/postgres-programs.ts';
import { measured, type Result } from './contenders.ts';
import { empty, load, provision, type World } from './world.ts';

const run = promisify(execFile);

/** The bytes of a record's value in the relay's runs, near enough for what only has to be as large. */
const VALUE_BYTES = 260;

/** The client alone, with records that were encoded beforehand: kafkajs as it comes, or with the relay's replacements. */
export async function kafkajsAlone(world: World, users: number, client: 'stock' | 'ours'): Promise<Result> {
  const topic = `bench.kafkajs.${client}`;
  await provision(world, topic);
  const script = join(import.meta.dirname, 'producer.ts');
  const args = [script, client, world.kafka.bootstrapServers.join(','), topic, String(users)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  const name = `kafkajs alone, ${client === 'stock' ? 'as it comes' : 'with our replacements'}`;
  const result = await measured(name, users, child.pid ?? 0, async () => {
    child.send('go');
    await once(child, 'message');
  });
  await end(child);
  return result;
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.send('end');
  await exit;
}

/** What the server can decode, into a client that drops it. */
export async function recvlogical(world: World, users: number): Promise<Result> {
  const { section, credentials } = world.postgres;
  const slot = 'recvlogical';
  await world.db.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await load(world, users);
  const { rows } = await world.db.query('SELECT pg_current_wal_lsn()::text AS lsn');
  const env = { ...(await postgresEnvironment()), PGPASSWORD: credentials.password };
  const args = ['--start', '--no-loop', `--slot=${slot}`, `--endpos=${rows[0].lsn}`, '--file=/dev/null'];
  const options = ['-o', 'proto_version=1', '-o', `publication_names=${section.publication}`];
  const where = ['-h', section.host, '-p', String(section.port), '-U', credentials.username];
  const began = performance.now();
  await run('pg_recvlogical', [...args, ...options, ...where, '-d', section.database], { env });
  const seconds = (performance.now() - began) / 1000;
  await world.db.query('SELECT pg_drop_replication_slot($1)', [slot]);
  await empty(world);
  return {
    name: 'pg_recvlogical alone',
    records: users,
    seconds,
    cpuSeconds: Number.NaN,
    peakBytes: Number.NaN,
  };
}

/** What the broker can take from Kafka's own client. */
export async function producerPerformance(world: World, users: number): Promise<Result> {
  const topic = 'bench.performance';
  await provision(world, topic);
  const jars = await jarsOf('kafka', 'copy-dependencies');
  const props = [`bootstrap.servers=${world.kafka.bootstrapServers.join(',')}`, 'acks=all'];
  const size = ['--record-size', String(VALUE_BYTES), '--throughput', '-1'];
  const main = ['-cp', `${jars}/*`, 'org.apache.kafka.tools.ProducerPerformance'];
  const what = ['--topic', topic, '--num-records', String(users)];
  const { stdout } = await run('java', [...main, ...what, ...size, '--producer-props', ...props]);
  const rates = [...stdout.matchAll(/records sent, ([\d.]+) records\/sec/g)];
  const rate = Number(rates.at(-1)?.[1]);
  return {
    name: 'ProducerPerformance alone',
    records: users,
    seconds: users / rate,
    cpuSeconds: Number.NaN,
    peakBytes: Number.NaN,
  };
}

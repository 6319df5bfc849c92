import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { dropSlot } from '../../provision/postgres.ts';
import { startWorker } from '../../test/process.ts';
import { type Usage, usageOf } from '../../test/usage.ts';
import { startDebezium } from './debezium.ts';
import { arrival, empty, load, provision, recordsIn, slotInUse, type World } from './world.ts';

export type Result = Usage & { name: string; records: number; seconds: number };

/** Measures what the process `pid` uses while `work` runs. */
export async function measured(
  name: string,
  records: number,
  pid: number,
  work: () => Promise<void>,
): Promise<Result> {
  const before = await usageOf(pid);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const after = await usageOf(pid);
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  return { name, records, seconds, cpuSeconds, peakBytes: after.peakBytes };
}

/** The relay as it runs in a pod: from the commit of one transaction to the last record in Kafka. */
export async function relay(world: World, users: number, compression: 'none' | 'gzip'): Promise<Result> {
  const topic = `bench.relay.${compression}`;
  const sections = await provision(world, topic);
  const { username, password } = world.postgres.credentials;
  const worker = await startWorker('relay', {
    env: { POSTGRES_USERNAME: username, POSTGRES_PASSWORD: password },
    config: {
      pipeline: { namespace: 'bench', name: 'relay' },
      ...sections,
      kafka: { ...sections.kafka, compression },
    },
  });
  await slotInUse(world, sections.postgres.slot);
  const before = await recordsIn(world, topic);
  await load(world, users);
  const result = await measured(`relay, Avro, ${compression}`, users, worker.pid, () =>
    arrival(world, topic, before + users),
  );
  await worker.end('SIGTERM');
  await dropSlot(sections.postgres, { credentials: world.postgres.credentials, ca: undefined });
  await empty(world);
  return result;
}

/** The relay's stream with JSON for Avro, measured the same way. */
export async function relayWithJson(world: World, users: number): Promise<Result> {
  const topic = 'bench.relay.json';
  const { postgres, kafka } = await provision(world, topic);
  const { credentials } = world.postgres;
  const script = join(import.meta.dirname, 'json-relay.ts');
  const child = spawn(process.execPath, [script, JSON.stringify({ postgres, kafka, credentials })], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await slotInUse(world, postgres.slot);
  await load(world, users);
  const result = await measured('relay, JSON', users, child.pid ?? 0, () => arrival(world, topic, users));
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
  await dropSlot(postgres, { credentials, ca: undefined });
  await empty(world);
  return result;
}

/** Debezium in Kafka Connect, with JSON of the row alone, measured the same way. */
export async function debezium(world: World, users: number): Promise<Result> {
  const connect = await startDebezium(world);
  await slotInUse(world, connect.slot);
  await load(world, users);
  const result = await measured('Debezium, JSON', users, connect.pid, () =>
    arrival(world, connect.topic, users),
  );
  await connect.stop();
  await world.db.query('SELECT pg_drop_replication_slot($1)', [connect.slot]);
  await empty(world);
  return result;
}

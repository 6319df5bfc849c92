import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../../k8s/cluster/run.ts';
import { USER_COLUMNS, type UserColumn } from '../../lib/user.ts';
import type { AvroUser } from '../../test/avro.ts';
import { pysparkHome } from '../../test/pyspark.ts';
import type { Publication, SinkBench } from '../../test/sink.ts';
import { pythonEnv } from '../../test/spark.ts';

const COLUMNS = Object.keys(USER_COLUMNS) as UserColumn[];
const WRITTEN = 'userstream_spark_upserts_total';

export type Size = { users: number; processes: number; warmUp: number };

/** Writes the users to a file as the bare loop takes them. */
export async function writeRows(file: string, publications: (Publication & { user: AvroUser })[]) {
  const rows = publications.map(({ user, version }) =>
    JSON.stringify([...COLUMNS.map((name) => user[name]), Number(version)]),
  );
  await writeFile(file, `${[JSON.stringify(COLUMNS), ...rows].join('\n')}\n`);
}

/** Rows a second of a loop around Cassandra's driver that does nothing else. */
export async function bareLoop(bench: SinkBench, file: string, { processes, warmUp }: Size): Promise<number> {
  await bench.table.truncate();
  const config = await bench.writeConfig();
  const args = [join(import.meta.dirname, 'bare.py'), config, file, String(processes), String(warmUp)];
  return Number(
    await run('python3', args, { env: { ...pythonEnv(await pysparkHome()), ...bench.credentials } }),
  );
}

/** Rows a second of the streaming job, from the topic's beginning, after its first batch. */
export async function streamingJob(bench: SinkBench, { users, processes }: Size): Promise<number> {
  await bench.table.truncate();
  await bench.startSpark({ cores: processes, fresh: true });
  try {
    const first = await nextCount(bench, 0);
    let last = first;
    while (last.rows < users) last = await nextCount(bench, last.rows);
    return ((last.rows - first.rows) / (last.at - first.at)) * 1000;
  } finally {
    await bench.spark.end('SIGTERM');
  }
}

/** Waits for the end of the next batch. */
async function nextCount(bench: SinkBench, rows: number): Promise<{ rows: number; at: number }> {
  for (;;) {
    const written = await bench.spark.metric(WRITTEN);
    if (written > rows) return { rows: written, at: performance.now() };
    await sleep(20);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sections } from '../lib/config.ts';
import type { Status } from '../lib/health.ts';
import { temporaryDirectory } from './directory.ts';
import { pysparkHome } from './pyspark.ts';
import { freePort, until } from './wait.ts';

const JOB = join(import.meta.dirname, '../spark');

export type ReplayFrom = { timeMs: number } | { offsets: Record<string, number> };

/** The driver's config.json. */
export type SparkConfig = Pick<Sections, 'pipeline' | 'kafka' | 'schemaRegistry' | 'cassandra'> & {
  spark: {
    sql: string;
    triggerMs: number;
    maxOffsetsPerTrigger: number;
    checkpointLocation: string;
    replayFrom?: ReplayFrom;
  };
};

export type SparkProcess = {
  /** The root of its HTTP server. */
  url: string;
  /** The state behind /readyz. */
  status(): Promise<Status>;
  /** A figure of /metrics, by its name and labels as they stand there; 0 where it isn't there yet. */
  metric(name: string): Promise<number>;
  output(): string;
  /** Sends `signal` and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
};

/** What the job's Python runs with; `pyspark` is where PySpark is. */
export function pythonEnv(pyspark: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PYTHONPATH: [pyspark, JOB].join(':'),
    PYSPARK_PYTHON: 'python3',
    PYTHONDONTWRITEBYTECODE: '1',
    SPARK_LOCAL_IP: '127.0.0.1',
    TZ: 'UTC',
  };
}

export type SparkOptions = {
  /** Tasks at a time, of the executors inside its driver. */
  cores?: number | undefined;
  /** That of its HTTP server; any free one where it is left out. */
  port?: number;
};

/** Runs the streaming job as a process of its own. */
export async function startSpark(
  config: SparkConfig,
  env: NodeJS.ProcessEnv,
  { cores = 1, port: wanted }: SparkOptions = {},
): Promise<SparkProcess> {
  const home = await temporaryDirectory('spark');
  const port = wanted ?? (await freePort());
  await writeFile(join(home.path, 'config.json'), JSON.stringify(config));
  await writeFile(join(home.path, 'spark-defaults.conf'), defaults(cores));
  const child = spawn('setpriv', ['--pdeathsig=KILL', 'python3', join(JOB, 'stream.py')], {
    env: {
      ...pythonEnv(await pysparkHome()),
      ...env,
      SPARK_CONF_DIR: home.path,
      USERSTREAM_CONFIG: join(home.path, 'config.json'),
      HTTP_PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collected(child);
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string) => (await fetch(`${url}${path}`)).text();
  await until('Spark to answer', () => {
    if (child.exitCode !== null) throw new Error(`Spark ended at once:\n${output()}`);
    return get('/healthz').catch(() => undefined);
  });
  return {
    url,
    status: async () => JSON.parse(await get('/readyz')),
    metric: async (name) =>
      Number(
        lineOf(await get('/metrics'), name)
          ?.split(' ')
          .at(-1) ?? 0,
      ),
    output,
    end: async (signal) => {
      const closed = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill(signal);
      await closed;
      await home.remove();
    },
  };
}

function defaults(cores: number): string {
  const settings = {
    'spark.master': `local[${cores}]`,
    'spark.driver.memory': '600m',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.driver.extraJavaOptions': `-XX:+UseSerialGC -Dlog4j2.configurationFile=file:${join(JOB, 'log4j2.properties')}`,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

function collected(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text = (text + chunk).slice(-20_000);
    });
  }
  return () => text;
}

function lineOf(metrics: string, name: string): string | undefined {
  return metrics.split('\n').find((line) => line.startsWith(`${name} `));
}

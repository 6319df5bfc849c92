import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from './directory.ts';
import { until } from './wait.ts';

const WORKERS = join(import.meta.dirname, '..');

export type WorkerOptions = {
  env?: NodeJS.ProcessEnv;
  config?: unknown;
  args?: string[];
  /** Instead of the worker's `main.ts`. */
  program?: string;
};

export type WorkerProcess = {
  /** The port of its HTTP endpoints. */
  port: number;
  pid: number;
  /** What it has logged so far. */
  output(): string;
  /** Sends `signal` and waits for the end; answers the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
};

/** Runs `workers/<name>/main.ts` as a process of its own, on a free port, and waits until it has started. */
export async function startWorker(name: string, options: WorkerOptions = {}): Promise<WorkerProcess> {
  const { child, output, tidy } = await launch(name, options);
  const port = await until(`${name} to start`, () => {
    if (hasEnded(child)) throw new Error(`${name} ended at once:\n${output()}`);
    return /"port":(\d+)/.exec(output())?.[1];
  });
  return {
    port: Number(port),
    pid: child.pid ?? 0,
    output,
    end: async (signal) => {
      const closed = hasEnded(child) ? undefined : once(child, 'close');
      child.kill(signal);
      await closed;
      await tidy();
      return codeOf(child);
    },
  };
}

/** Runs `workers/<name>/main.ts` until it ends by itself. */
export async function runToEnd(name: string, options: WorkerOptions = {}) {
  const { child, output, tidy } = await launch(name, options);
  await once(child, 'close');
  await tidy();
  return { code: codeOf(child), output: output() };
}

async function launch(name: string, options: WorkerOptions) {
  const { env, config = {}, args = [], program = 'main.ts' } = options;
  const home = await temporaryDirectory('worker');
  const file = join(home.path, 'config.json');
  await writeFile(file, JSON.stringify(config));
  // With its parent's death, however that dies, it ends too.
  const command = ['--pdeathsig=KILL', process.execPath, join(WORKERS, name, program), ...args];
  const child = spawn('setpriv', command, {
    env: { ...process.env, HTTP_PORT: '0', USERSTREAM_CONFIG: file, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  return { child, output: () => text, tidy: home.remove };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function codeOf({ exitCode, signalCode }: ChildProcess): number | NodeJS.Signals {
  return exitCode ?? signalCode ?? -1;
}

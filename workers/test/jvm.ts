import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './exit.ts';
import { until } from './wait.ts';

export type Launch = {
  name: string;
  args: readonly string[];
  env?: Record<string, string>;
  /** True when the server does its work; may throw until then. */
  ready(): Promise<boolean>;
};

const START_MS = 120_000;
const STOP_MS = 20_000;

/** A Java server that a test started; it is ended when this process dies, however that happens. */
export class Jvm {
  readonly #launch: Launch;
  #process: ChildProcess | undefined;
  #output = '';

  constructor(launch: Launch) {
    this.#launch = launch;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Resolves when the server is ready. @throws with the server's last words when it ends before. */
  async start(): Promise<void> {
    const { name, args, env, ready } = this.#launch;
    const child = spawn('setpriv', ['--pdeathsig=KILL', 'java', ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.once(
      'exit',
      atExit(() => child.kill('SIGKILL')),
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-6000);
      });
    }
    await until(
      `${name} to be ready`,
      () => {
        if (ended(child)) throw new Error(`${name} ended at once:\n${this.#output}`);
        return ready().catch(() => false);
      },
      START_MS,
    );
  }

  /** SIGKILL is as good as SIGTERM for data that nobody wants; give SIGTERM for an orderly end. */
  async halt(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || ended(child)) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(force);
  }
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Runs `work` with a directory of its own, which it can remove by `discard`; a failure and the end of the process do. */
export async function withHome<T>(
  name: string,
  work: (home: string, discard: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), `userstream-${name}-`));
  const forget = atExit(() => rmSync(home, { recursive: true, force: true }));
  const discard = async () => {
    await rm(home, { recursive: true, force: true });
    forget();
  };
  try {
    return await work(home, discard);
  } catch (error) {
    await discard();
    throw error;
  }
}

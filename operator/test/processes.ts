import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export type Server = { child: ChildProcess; stop(): Promise<void> };

/** The servers are Go programs, memory is plenty and cores are few: their garbage may grow before it is collected. */
const LAZY_GARBAGE_COLLECTION = { GOGC: '400' };

const running = new Set<ChildProcess>();
const directories = new Set<string>();

function cleanUp(): void {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Removes the directory when this process ends, however it ends. */
export function removeAtExit(directory: string): void {
  directories.add(directory);
}

/** Removes the directory now. */
export function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  directories.delete(directory);
}

/** Starts a server that dies with this process; its output goes to `directory/name.log`. */
export function startServer(
  directory: string,
  name: string,
  binary: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Server {
  const log = openSync(join(directory, `${name}.log`), 'a');
  // The kernel ends the server should this process be killed without a chance to clean up.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', binary, ...args], {
    cwd: directory,
    env: { ...env, ...LAZY_GARBAGE_COLLECTION },
    stdio: ['ignore', log, log],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return {
    child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Resolves when `check` does without throwing; throws with the end of the server's log after `ms`, or when it exits. */
export async function untilUp(
  server: Server,
  log: string,
  check: () => Promise<void>,
  ms: number,
): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    const error = await check().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!error) return;
    const dead = server.child.exitCode !== null || server.child.signalCode !== null;
    if (dead || performance.now() > deadline) {
      const lines = readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n');
      throw new Error(`${log} ${dead ? 'exited' : `isn't up after ${ms} ms`}: ${error}\n${lines}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Free loopback ports, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

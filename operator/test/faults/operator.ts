import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Server, startServer } from '../processes.ts';
import { LEASES, type World } from './world.ts';

/** The program under test. */
export const MAIN = join(import.meta.dirname, '../../src/main.ts');

export type OperatorOptions = {
  main: string;
  /** The run's namespace, the only one that it watches. */
  namespace: string;
  /** What it takes for the API server. */
  server: string;
  leaseSeconds: number;
};

const LOG_LINES = 25;

/** The operator as a process of its own, which runs until it is killed. */
export class Operator {
  readonly name: string;
  readonly exited: Promise<void>;
  readonly #server: Server;
  readonly #log: string;

  constructor(world: World, name: string, options: OperatorOptions) {
    const { main, namespace, server, leaseSeconds } = options;
    const id = `${namespace}-${name}`;
    const kubeconfig = join(world.directory, `${id}.yaml`);
    writeFileSync(kubeconfig, kubeconfigFor(`${server}/${name}`));
    const images = ['WORKERS', 'SPARK', 'POSTGRES', 'CASSANDRA', 'REGISTRY'].map((image) => [
      `IMAGE_${image}`,
      `${image.toLowerCase()}:test`,
    ]);
    const env = {
      PATH: process.env['PATH'],
      ...Object.fromEntries(images),
      KUBECONFIG: kubeconfig,
      POD_NAME: name,
      POD_NAMESPACE: LEASES,
      LEASE_NAME: namespace,
      LEASE_DURATION_SECONDS: String(leaseSeconds),
      WATCH_NAMESPACE: namespace,
      HTTP_PORT: '0',
      // Most of what a start costs is the compiler's work, and the suite starts hundreds.
      NODE_COMPILE_CACHE: join(world.directory, 'compiled'),
    };
    this.name = name;
    this.#log = join(world.directory, `${id}.log`);
    this.#server = startServer(world.directory, id, process.execPath, [main], env);
    this.exited = once(this.#server.child, 'exit').then(() => {});
  }

  signal(signal: NodeJS.Signals): void {
    this.#server.child.kill(signal);
  }

  /** Undefined while it runs. */
  get exitCode(): number | null | undefined {
    const { exitCode, signalCode } = this.#server.child;
    return exitCode === null && signalCode === null ? undefined : exitCode;
  }

  async kill(): Promise<void> {
    await this.#server.stop();
  }

  /** The end of what it logged. */
  log(): string {
    return readFileSync(this.#log, 'utf8').trim().split('\n').slice(-LOG_LINES).join('\n');
  }
}

function kubeconfigFor(server: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

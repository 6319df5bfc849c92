import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiServer } from '../test/apiserver.ts';
import { freePorts, type Server, startServer } from '../test/processes.ts';
import { until } from '../test/until.ts';
import { OPERATORS } from './world.ts';

const MAIN = join(import.meta.dirname, 'measured.ts');

/** As the chart has it. */
const FLAGS = ['--max-semi-space-size=4'];

export type Memory = { resident: number; heap: number };

/** The samples of a metric, each with its labels as text. */
type Samples = { labels: string; value: number }[];

/** The operator as a process of its own, and what it says of itself. */
export class Operator {
  readonly #server: Server;
  readonly #url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.#url = url;
  }

  /** Starts it for the pipelines of one namespace, and waits until it leads. */
  static async start(api: ApiServer, directory: string, namespace: string): Promise<Operator> {
    const [port = 0] = await freePorts(1);
    const images = ['WORKERS', 'SPARK', 'POSTGRES', 'CASSANDRA', 'REGISTRY'];
    const env = {
      PATH: process.env['PATH'],
      ...Object.fromEntries(images.map((image) => [`IMAGE_${image}`, `${image.toLowerCase()}:bench`])),
      KUBECONFIG: api.kubeconfig,
      POD_NAME: `operator-${namespace}`,
      POD_NAMESPACE: OPERATORS,
      LEASE_NAME: namespace,
      // It is stopped in its tracks while the pipelines are applied.
      LEASE_DURATION_SECONDS: '300',
      WATCH_NAMESPACE: namespace,
      HTTP_PORT: String(port),
    };
    const args = [...FLAGS, '--expose-gc', MAIN];
    const server = startServer(directory, `operator-${namespace}`, process.execPath, args, env);
    const operator = new Operator(server, `http://127.0.0.1:${port}/metrics`);
    const leads = async () => (await operator.metric('leader_election_master_status')) === 1;
    await until('the operator leads', () => leads().catch(() => false), { ms: 30_000 });
    return operator;
  }

  /** Does something while the operator stands still, so that it meets all of it at once. */
  async frozen(does: () => Promise<unknown>): Promise<void> {
    this.#server.child.kill('SIGSTOP');
    await does();
    this.#server.child.kill('SIGCONT');
  }

  /** The sum of a metric's samples, of those whose labels match. */
  async metric(name: string, labels = /(?:)/): Promise<number> {
    const samples = await this.#samples(name);
    return samples.filter((sample) => labels.test(sample.labels)).reduce((sum, { value }) => sum + value, 0);
  }

  /** Bytes of memory once the garbage is gone: what the process holds, and what is in use on its heap. */
  async memory(): Promise<Memory> {
    const collections = () => this.metric('nodejs_gc_duration_seconds_count', /kind="major"/);
    const before = await collections();
    const collected = async () => {
      // Asked for until it is counted: of collections that Node tells of at once, prom-client counts the first.
      this.#server.child.kill('SIGUSR2');
      return (await collections()) > before;
    };
    await until('the garbage is collected', collected);
    const heap = await this.metric('nodejs_heap_size_used_bytes');
    const status = readFileSync(`/proc/${this.#server.child.pid}/status`, 'utf8');
    return { resident: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024, heap };
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async #samples(name: string): Promise<Samples> {
    const answer = await fetch(this.#url);
    const lines = (await answer.text()).split('\n').filter((line) => line.startsWith(name));
    return lines.flatMap((line) => {
      const [, found, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return found === name ? [{ labels, value: Number(value) }] : [];
    });
  }
}

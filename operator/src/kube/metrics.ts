import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { QueueObserver } from './queue.ts';
import type { RequestReport } from './requests.ts';

export type ReconcileResult = 'success' | 'requeue' | 'requeue_after' | 'error';

export type KubeMetrics = {
  request(report: RequestReport): void;
  queue: QueueObserver;
  reconciled(result: ReconcileResult, seconds: number): void;
  leader(isLeader: boolean): void;
  /** Where the figures of the work that is under way come from, whenever they are asked for. */
  follow(queue: { readonly workedSeconds: number[] }, concurrency: number): void;
};

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The operator's metrics by controller-runtime's names, so that the dashboards made for those fit. */
export function createKubeMetrics(registry: Registry, controller: string, lease: string): KubeMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code, method, and host.',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process holds the lease (1) or not (0).',
    labelNames: ['name'],
    registers,
  });
  leader.set({ name: lease }, 0);
  return {
    request: ({ code, method, host }) => requests.inc({ code: String(code), method, host }),
    leader: (isLeader) => leader.set({ name: lease }, isLeader ? 1 : 0),
    queue: queueMetrics(registers, controller),
    reconciled: reconcileMetrics(registers, controller),
    follow: (queue, concurrency) => workMetrics(registers, controller, queue, concurrency),
  };
}

function queueMetrics(registers: Registry[], name: string): QueueObserver {
  const labelNames = ['name'];
  const gauge = (suffix: string, help: string) =>
    new Gauge({ name: `workqueue_${suffix}`, help, labelNames, registers });
  const counter = (suffix: string, help: string) =>
    new Counter({ name: `workqueue_${suffix}`, help, labelNames, registers });
  const seconds = (suffix: string, help: string) =>
    new Histogram({ name: `workqueue_${suffix}`, help, labelNames, registers, buckets: SECONDS });
  const depth = gauge('depth', 'Keys that wait for a free worker.');
  const adds = counter('adds_total', 'Keys added to the queue.');
  const retries = counter('retries_total', 'Keys that came back after a failure.');
  const waited = seconds('queue_duration_seconds', 'How long a key waits before it is worked on.');
  const worked = seconds('work_duration_seconds', 'How long the work on a key takes.');
  depth.set({ name }, 0);
  return {
    depth: (waiting) => depth.set({ name }, waiting),
    added: () => adds.inc({ name }),
    retried: () => retries.inc({ name }),
    waited: (value) => waited.observe({ name }, value),
    worked: (value) => worked.observe({ name }, value),
  };
}

function workMetrics(
  registers: Registry[],
  controller: string,
  queue: { readonly workedSeconds: number[] },
  concurrency: number,
): void {
  const gauge = (name: string, help: string, label: string, value: () => number) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.set({ [label]: controller }, value());
      },
    });
  const longest = () => Math.max(0, ...queue.workedSeconds);
  const sum = () => queue.workedSeconds.reduce((total, seconds) => total + seconds, 0);
  gauge(
    'workqueue_longest_running_processor_seconds',
    'How long the longest work under way has taken.',
    'name',
    longest,
  );
  gauge('workqueue_unfinished_work_seconds', 'How long all work under way has taken together.', 'name', sum);
  gauge(
    'controller_runtime_active_workers',
    'Keys in flight.',
    'controller',
    () => queue.workedSeconds.length,
  );
  gauge(
    'controller_runtime_max_concurrent_reconciles',
    'Keys that may be in flight.',
    'controller',
    () => concurrency,
  );
}

function reconcileMetrics(registers: Registry[], controller: string): KubeMetrics['reconciled'] {
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Number of reconciliations, partitioned by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Number of reconciliations that failed.',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long a reconciliation takes.',
    labelNames: ['controller'],
    registers,
    buckets: SECONDS,
  });
  errors.inc({ controller }, 0);
  return (result, seconds) => {
    total.inc({ controller, result });
    if (result === 'error') errors.inc({ controller });
    time.observe({ controller }, seconds);
  };
}

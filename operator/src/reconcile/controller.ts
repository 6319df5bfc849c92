import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { Canary } from '../kube/canary.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Exec } from '../kube/exec.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import { fromKey } from '../kube/object.ts';
import { WorkQueue } from '../kube/queue.ts';
import type { Images } from '../specs/images.ts';
import { FIGURES_MS, renewFigures, type Said } from './figures.ts';
import { createHandler } from './handler.ts';
import { FIELD_MANAGER } from './owned.ts';
import type { Dependencies } from './reconciler.ts';
import { readReports } from './reports.ts';
import { Watches } from './watches.ts';

const CONCURRENCY = 10;
const FIGURES_CONCURRENCY = 2;

/** Without a word from the API server, not even a bookmark, for this long, a watch counts as stuck. */
const STUCK_MS = 10 * 60_000;

type Options = {
  client: KubeClient;
  clock: Clock;
  images: Images;
  exec: Exec;
  /** The name of this pod, for its events. */
  instance: string;
  metrics: KubeMetrics;
  log: Logger;
  /** Undefined: all namespaces. */
  namespace?: string;
};

/** A random password of 32 letters and digits, which no system has to quote. */
function password(): string {
  return randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x');
}

/** Watches pipelines and what they own, and reconciles each pipeline whenever one of them changes. */
export function createController(options: Options) {
  const { client, clock, images, exec, instance, metrics, log, namespace } = options;
  const recorder = new EventRecorder({
    client,
    clock,
    controller: FIELD_MANAGER,
    instance,
    isBusy: () => queue.depth > 0,
    onError: (error) => log.warn({ err: error }, 'an event could not be written'),
  });
  const watches = new Watches({
    client,
    clock,
    ...(namespace ? { namespace } : {}),
    wake: (pipeline, waitMs) => queue.addAfter(pipeline, waitMs),
    onError: (kind, error, retryMs) => log.warn({ kind, err: error, retryMs }, 'list or watch failed'),
  });
  const dependencies: Dependencies = {
    ...watches.access,
    images,
    exec,
    readReports,
    password,
    now: () => clock.date(),
    record: (object, text) => recorder.record(object, text),
  };

  const canary = new Canary(clock);
  const handle = createHandler(dependencies, { clock, metrics, log });
  const onFailure = (key: string, error: unknown, retryMs: number) =>
    log.debug({ ...fromKey(key), err: error, retryMs }, 'is tried again');
  const said: Said = new Map();
  const figures = new WorkQueue({
    handler: (key) => renewFigures(key, dependencies, (pipeline) => queue.add(pipeline), said),
    onFailure,
    concurrency: FIGURES_CONCURRENCY,
    clock,
  });
  const reconciled = async (key: string, failures: number) => {
    const result = await handle(key, failures);
    figures.addAfter(key, FIGURES_MS);
    return result;
  };
  const queue = new WorkQueue({
    handler: canary.beside(reconciled),
    onFailure,
    concurrency: CONCURRENCY,
    clock,
    observer: metrics.queue,
  });
  metrics.follow(queue, CONCURRENCY);

  const running: Promise<void>[] = [];

  return {
    /** Begins to watch and to reconcile, until `signal` aborts. */
    start(signal: AbortSignal): void {
      const send = (key: string) => queue.add(key);
      running.push(watches.run(signal), canary.run(send, signal));
    },
    /** Resolves when nothing runs any more, no reconcile is in flight, and what there is to tell is told. */
    async stopped(): Promise<void> {
      await Promise.all(running);
      await Promise.all([queue.stop(), figures.stop()]);
      await recorder.close();
    },
    /** What is stuck, a line each. */
    problems(): string[] {
      if (running.length === 0) return [];
      const { silentMs } = watches;
      const silent = `a watch has heard nothing for ${Math.round(silentMs / 1000)} s`;
      return [...(silentMs > STUCK_MS ? [silent] : []), ...canary.problems()];
    },
  };
}

import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import { CANARY, Canary } from '../kube/canary.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Exec } from '../kube/exec.ts';
import { ListWatch } from '../kube/list-watch.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import { fromKey, type KubeObject, keyOf } from '../kube/object.ts';
import { WorkQueue } from '../kube/queue.ts';
import type { Kind } from '../kube/resources.ts';
import type { Images } from '../specs/images.ts';
import { FIELD_MANAGER } from './cluster.ts';
import { FIGURES_MS, renewFigures } from './figures.ts';
import { createHandler } from './handler.ts';
import type { Dependencies } from './reconciler.ts';
import { readReports } from './reports.ts';

const CONCURRENCY = 4;
const FIGURES_CONCURRENCY = 2;

const MANAGED = 'app.kubernetes.io/managed-by=userstream-operator';

/** Without a word from the API server, not even a bookmark, for this long, a watch counts as stuck. */
const STUCK_MS = 10 * 60_000;

const PIPELINES: Kind = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND };

/** What a pipeline owns and whose state its conditions tell. */
const OWNED: Kind[] = [
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'batch/v1', kind: 'Job' },
];

/** The key of the pipeline that owns an object; undefined where none does. */
function ownerKey({ metadata }: KubeObject): string | undefined {
  const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === KIND);
  return owner && metadata.namespace ? keyOf({ namespace: metadata.namespace, name: owner.name }) : undefined;
}

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
    onError: (error) => log.warn({ err: error }, 'an event could not be written'),
  });
  const dependencies: Dependencies = {
    client,
    images,
    exec,
    readReports,
    password,
    now: () => clock.date(),
    record: (object, text) => void recorder.record(object, text),
  };

  const canary = new Canary(clock);
  const handle = createHandler(dependencies, { clock, metrics, log });
  const onFailure = (key: string, error: unknown, retryMs: number) =>
    log.debug({ ...fromKey(key), err: error, retryMs }, 'is tried again');
  const figures = new WorkQueue({
    handler: (key) => renewFigures(key, dependencies),
    onFailure,
    concurrency: FIGURES_CONCURRENCY,
    clock,
  });
  const reconciled = async (key: string) => {
    const result = await handle(key);
    figures.addAfter(key, FIGURES_MS);
    return result;
  };
  const queue = new WorkQueue({
    handler: (key) => (key === CANARY ? canary.passed() : reconciled(key)),
    onFailure,
    concurrency: CONCURRENCY,
    clock,
    observer: metrics.queue,
  });
  metrics.follow(queue, CONCURRENCY);

  function follow(
    kind: Kind,
    labelSelector: string | undefined,
    toKey: (object: KubeObject) => string | undefined,
  ) {
    return new ListWatch<KubeObject>({
      client,
      kind,
      selection: { ...(namespace ? { namespace } : {}), ...(labelSelector ? { labelSelector } : {}) },
      onChange: ({ object }) => {
        const key = toKey(object);
        if (key) queue.add(key);
      },
      onError: (error, retryMs) => log.warn({ kind: kind.kind, err: error, retryMs }, 'list or watch failed'),
      clock,
    });
  }

  const watches = [
    follow(PIPELINES, undefined, ({ metadata }) => keyOf(metadata)),
    ...OWNED.map((kind) => follow(kind, MANAGED, ownerKey)),
  ];
  const running: Promise<void>[] = [];

  return {
    /** Begins to watch and to reconcile, until `signal` aborts. */
    start(signal: AbortSignal): void {
      const send = (key: string) => queue.add(key);
      running.push(...watches.map((watch) => watch.run(signal)), canary.run(send, signal));
    },
    /** Resolves when nothing runs any more and no reconcile is in flight. */
    async stopped(): Promise<void> {
      await Promise.all(running);
      await Promise.all([queue.stop(), figures.stop()]);
    },
    /** What is stuck, a line each. */
    problems(): string[] {
      if (running.length === 0) return [];
      const silent = watches
        .filter((watch) => watch.silentMs > STUCK_MS)
        .map((watch) => `a watch has heard nothing for ${Math.round(watch.silentMs / 1000)} s`);
      return [...silent, ...canary.problems()];
    },
  };
}

import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { KubeClient, loadKubeConfig } from './kube/client.ts';
import { systemClock } from './kube/clock.ts';
import { createExec } from './kube/exec.ts';
import { serveHealth } from './kube/health.ts';
import { LeaderElector } from './kube/lease.ts';
import { createKubeMetrics } from './kube/metrics.ts';
import { createController } from './reconcile/controller.ts';
import { readSettings } from './settings.ts';

const CONTROLLER = 'userstreampipeline';

const settings = readSettings(process.env);
const log = pino({ level: settings.logLevel, base: { component: 'operator' } });
const registry = new Registry();
// The event loop's lag is sampled by a timer: at its usual pace it would be most of what an idle operator does.
collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
const metrics = createKubeMetrics(registry, CONTROLLER, settings.leaseName);
let reached = false;
const client = new KubeClient(loadKubeConfig(), {
  onRequest(report) {
    reached ||= report.code < 500;
    metrics.request(report);
  },
});
const shutdown = new AbortController();
const lease = new AbortController();

const elector = new LeaderElector({
  client,
  clock: systemClock,
  namespace: settings.pod.namespace,
  name: settings.leaseName,
  durationSeconds: settings.leaseDurationSeconds,
  identity: `${settings.pod.name}_${randomUUID()}`,
  onStarted: () => {
    metrics.leader(true);
    log.info('leads');
    controller.start(shutdown.signal);
  },
  onLost: () => {
    log.error('the lease is lost; another may lead now');
    process.exit(1);
  },
  onError: (error) => log.warn({ err: error }, 'the lease could not be renewed'),
});

const mayWrite = () => elector.isLeader();

const controller = createController({
  client: client.with({ mayWrite }),
  exec: createExec(loadKubeConfig(), { mayWrite }),
  clock: systemClock,
  images: settings.images,
  instance: settings.pod.name,
  metrics,
  log,
  ...(settings.watchNamespace ? { namespace: settings.watchNamespace } : {}),
});

const health = await serveHealth({
  healthz: () => controller.problems(),
  readyz: () => (reached ? [] : ['the API server has not answered yet']),
  registry,
  port: settings.httpPort,
});

// The lease is kept until nothing is in flight: who loses it meanwhile is cut off in the middle of his work.
async function drain(): Promise<void> {
  shutdown.abort();
  await controller.stopped();
  lease.abort();
}
for (const event of ['SIGTERM', 'SIGINT'] as const) process.once(event, () => void drain());

await elector.run(lease.signal);
await elector.release();
await health.close();
client.close();

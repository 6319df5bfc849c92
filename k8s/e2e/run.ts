import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { goBinaries } from '../cluster/binaries.ts';
import { cacheDir } from '../cluster/cache.ts';
import { type Cluster, STATE_ROOT, startCluster, stateDir, stopCluster } from '../cluster/cluster.ts';
import { exitWith } from '../cluster/command.ts';
import { debianTools } from '../cluster/debian.ts';
import { applySample, type Images, installOperator, rollout } from '../cluster/deploy.ts';
import { buildImages } from '../cluster/images.ts';
import { NETWORK } from '../cluster/network.ts';
import { lookAround, obstacles } from '../cluster/preflight.ts';
import { Progress } from '../cluster/progress.ts';

const name = `e2e-${process.pid}`;
/** The suites to run, as in `npm run test:e2e -- day-two`, or another program instead of them. */
const { values, positionals } = parseArgs({
  options: { program: { type: 'string' } },
  allowPositionals: true,
});
/** Without a name those that belong to `npm test`, in this order: `flow` counts all that the source has served. */
const suites = positionals.length > 0 ? positionals : ['flow', 'kills'];
/** Users of each seed that the source serves; under load they come for as long as it lasts. */
const SOURCE_LIMIT = suites.includes('chaos') ? '1000000' : '3000';
const cache = cacheDir(process.env);
const progress = new Progress();

/** Compiles Kubernetes while the images are built, as `npm run up` does. */
async function start(): Promise<{ cluster: Cluster; images: Images }> {
  const tools = await debianTools(cache, progress);
  const [cluster, { layout, images }] = await Promise.all([
    goBinaries(cache, progress).then(() => startCluster({ name, cache, progress })),
    buildImages({ cache, tools, progress }),
  ]);
  await progress.step('load the images', () => cluster.loadImages(layout));
  return { cluster, images };
}

async function install(cluster: Cluster, images: Images): Promise<void> {
  await progress.step('install the operator, Kafka and the source', async () => {
    await cluster.exec('kubectl', ['create', 'namespace', 'e2e']);
    await cluster.exec('kubectl', [
      'label',
      'namespace',
      'e2e',
      'pod-security.kubernetes.io/enforce=restricted',
    ]);
    await applySample(cluster, 'kafka.yaml');
    await applySample(cluster, 'source.yaml');
    const limit = [
      'set',
      'env',
      '--namespace',
      'source',
      'deployment/source',
      `SOURCE_LIMIT=${SOURCE_LIMIT}`,
      'SOURCE_RATE_USERS=1000000',
    ];
    await cluster.exec('kubectl', limit);
    await installOperator(cluster, images);
    await rollout(cluster, 'source', 'deployment/source');
    await rollout(cluster, 'kafka', 'statefulset/kafka');
  });
}

/** A resolv.conf of the cluster's own in a mount namespace of its own: the tests see Services by name, the host sees nothing. */
const WITH_CLUSTER_DNS = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';

/** Runs the test files where Services and pods have their addresses. Answers whether they passed. */
async function test(cluster: Cluster): Promise<boolean> {
  const resolvConf = join(cluster.stateDir, 'resolv.conf');
  await writeFile(
    resolvConf,
    `nameserver ${NETWORK.dns}\nsearch svc.${NETWORK.domain} ${NETWORK.domain}\noptions ndots:5\n`,
  );
  const files = suites.map((suite) => join(import.meta.dirname, `${suite}.e2e.test.ts`));
  const tests = values.program
    ? [process.execPath, values.program]
    : [process.execPath, '--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
  const { command, args, env } = cluster.command('unshare', [
    '--mount',
    'sh',
    '-c',
    WITH_CLUSTER_DNS,
    'sh',
    resolvConf,
    ...tests,
  ]);
  const child = spawn(command, args, { env: { ...env, SOURCE_LIMIT }, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code === 0;
}

/** What the cluster looks like, for whoever reads why a test failed. */
async function printState(cluster: Cluster): Promise<void> {
  const commands = [
    ['get', 'usp', '--all-namespaces', '-o', 'yaml'],
    ['get', 'pods', '--all-namespaces', '-o', 'wide'],
    ['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp'],
    ['logs', '--namespace', 'userstream-system', 'deployment/userstream', '--tail=40'],
    ['logs', '--namespace', 'e2e', '--selector=app.kubernetes.io/name=userstream', '--tail=25', '--prefix'],
  ];
  for (const command of commands) {
    console.log(`\n$ kubectl ${command.join(' ')}`);
    console.log(await cluster.exec('kubectl', command).catch((error: Error) => error.message));
  }
}

/** Ends the clusters of test runs that were killed before they could. */
async function sweep(): Promise<void> {
  const clusters = await readdir(STATE_ROOT).catch(() => []);
  for (const other of clusters) {
    const pid = /^e2e-(\d+)$/.exec(other)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) await stopCluster(other);
  }
}

async function installAndTest(cluster: Cluster, images: Images): Promise<boolean> {
  try {
    await install(cluster, images);
    const passed = await test(cluster);
    if (!passed) await printState(cluster);
    return passed;
  } catch (error) {
    await printState(cluster);
    throw error;
  }
}

const found = obstacles(await lookAround(name, cache, stateDir(name), process.env));
if (found.length > 0) exitWith(found);
await sweep();

/** Once, whoever asks first: an interruption or the end of the run. */
let stopping: Promise<void> | undefined;
function stop(): Promise<void> {
  stopping ??= stopCluster(name);
  return stopping;
}
for (const event of ['SIGINT', 'SIGTERM'] as const) {
  process.once(event, () => void stop().then(() => process.exit(1)));
}

let passed = false;
try {
  const { cluster, images } = await start();
  passed = await installAndTest(cluster, images);
} finally {
  await progress.step('take the cluster away', stop);
}
console.log(progress.summary());
process.exit(passed ? 0 : 1);

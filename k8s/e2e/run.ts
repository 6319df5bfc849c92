import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../cluster/cache.ts';
import { type Cluster, startCluster, stopCluster } from '../cluster/cluster.ts';
import { debianTools } from '../cluster/debian.ts';
import { applySample, installOperator, rollout } from '../cluster/deploy.ts';
import { buildImages } from '../cluster/images.ts';
import { NETWORK } from '../cluster/network.ts';
import { Progress } from '../cluster/progress.ts';

/** Users of each seed that the source serves. */
const SOURCE_LIMIT = '3000';

const name = `e2e-${process.pid}`;
const cache = cacheDir(process.env);
const progress = new Progress();

async function prepare(): Promise<Cluster> {
  const cluster = await startCluster({ name, cache, progress });
  const tools = await debianTools(cache, progress);
  const { layout, images } = await buildImages({ cache, tools, progress });
  await progress.step('load the images', () => cluster.loadImages(layout));
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
  return cluster;
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
  const files = join(import.meta.dirname, '*.e2e.test.ts');
  const tests = [process.execPath, '--test', '--test-reporter=spec', files];
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

let passed = false;
for (const event of ['SIGINT', 'SIGTERM'] as const)
  process.once(event, () => void stopCluster(name).then(() => process.exit(1)));
try {
  const cluster = await prepare();
  passed = await test(cluster);
  if (!passed) await printState(cluster);
} finally {
  await progress.step('take the cluster away', () => stopCluster(name));
}
console.log(progress.summary());
process.exit(passed ? 0 : 1);

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import type { Progress } from './progress.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SAMPLES = join(ROOT, 'k8s', 'samples');

export const OPERATOR_NAMESPACE = 'userstream-system';

/** The images by their names in `k8s/images`, as they are called in the cluster. */
export type Images = Record<string, string>;

const OF_THE_CHART = ['operator', 'workers', 'spark', 'postgres', 'cassandra', 'registry'];

/** Installs the operator with Helm, or upgrades it to these images. */
export async function installOperator(cluster: Cluster, images: Images): Promise<void> {
  const settings = OF_THE_CHART.flatMap((name) => ['--set', `images.${name}=${images[name]}`]);
  const chart = join(ROOT, 'charts', 'userstream-operator');
  const release = ['upgrade', '--install', 'userstream', chart, '--namespace', OPERATOR_NAMESPACE];
  await cluster.exec('helm', [...release, '--create-namespace', '--wait', '--timeout', '5m', ...settings]);
}

/** Applies a file of `k8s/samples`, in which `replace` may change the text. */
export async function applySample(
  cluster: Cluster,
  file: string,
  replace: (text: string) => string = (text) => text,
): Promise<void> {
  const input = replace(await readFile(join(SAMPLES, file), 'utf8'));
  await cluster.exec('kubectl', ['apply', '--server-side', '--force-conflicts', '-f', '-'], { input });
}

export async function rollout(cluster: Cluster, namespace: string, workload: string): Promise<void> {
  await cluster.exec('kubectl', ['rollout', 'status', '--namespace', namespace, workload, '--timeout=5m']);
}

/** The quickstart asks the real API; where no pod can reach it, the source in the cluster takes its place. */
function fromLocalSource(text: string): string {
  return text.replace('https://randomuser.me/api/1.4/', 'http://source.source.svc:8080/api/1.4/');
}

/** What the pipeline says it waits for. */
function readyMessage(cluster: Cluster): Promise<string> {
  const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].message}';
  return cluster.exec('kubectl', ['get', 'usp', 'users', '-o', path]);
}

async function hasPipeline(cluster: Cluster): Promise<boolean> {
  return (await cluster.exec('kubectl', ['get', 'usp', 'users', '--ignore-not-found', '-o', 'name'])) !== '';
}

async function waitForReady(cluster: Cluster, report: (detail: string) => void): Promise<void> {
  const timer = setInterval(() => void readyMessage(cluster).then(report, () => {}), 5_000);
  try {
    await cluster.exec('kubectl', ['wait', 'usp/users', '--for=condition=Ready', '--timeout=15m']);
  } finally {
    clearInterval(timer);
  }
}

const SHOW_USERS = ['python3', '/opt/userstream/spark/show_users.py'];

/** Waits until users stand in Cassandra and answers the first of them as a table. */
async function firstUsers(cluster: Cluster): Promise<string> {
  return await cluster.exec('kubectl', [
    'exec',
    'users-spark-0',
    '-c',
    'driver',
    '--',
    ...SHOW_USERS,
    '--wait',
    '5',
  ]);
}

/**
 * Puts operator, Kafka and the quickstart pipeline on a cluster that has the images, waits until users flow and prints
 * the first. Doing it again changes nothing.
 */
export async function deploy(cluster: Cluster, images: Images, progress: Progress): Promise<void> {
  await progress.step('install the operator (helm)', () => installOperator(cluster, images));
  await progress.step('start Kafka and a source of users', async () => {
    await applySample(cluster, 'kafka.yaml');
    await applySample(cluster, 'source.yaml');
  });
  progress.say(
    '  The pods of this cluster have no way to randomuser.me: the quickstart reads from its own source.',
  );
  await progress.step('bring the pipeline "users" to Ready', async (report) => {
    // One that is there may have been changed since: it is left as it is.
    if (!(await hasPipeline(cluster))) await applySample(cluster, 'quickstart.yaml', fromLocalSource);
    await waitForReady(cluster, report);
  });
  const users = await progress.step('read users back from Cassandra', () => firstUsers(cluster));
  progress.say(`\n${users}`);
}

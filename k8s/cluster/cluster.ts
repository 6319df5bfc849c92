import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { goBinaries } from './binaries.ts';
import { contentKey } from './cache.ts';
import { configFiles, containerdSocket } from './config.ts';
import { debianTools, toolEnvironment } from './debian.ts';
import { withLock } from './lock.ts';
import { machineProcesses, netnsPath, startMachine, stopMachine } from './machine.ts';
import { NETWORK } from './network.ts';
import { pauseImage } from './pause.ts';
import { makePki } from './pki.ts';
import type { Layout } from './processes.ts';
import type { Progress } from './progress.ts';
import { type RunOptions, run } from './run.ts';
import { waitFor } from './wait.ts';

/** Below it every cluster has a directory of its name. */
export const STATE_ROOT = '/var/lib/userstream';

/** A running Kubernetes, whoever made it. `exec` runs a program where the cluster's addresses can be reached. */
export type Cluster = {
  name: string;
  kubeconfig: string;
  netns: string;
  nodeAddress: string;
  stateDir: string;
  /** The command line that runs a command inside, and its environment: for programs that need the terminal or a pipe. */
  command(command: string, args: string[]): { command: string; args: string[]; env: NodeJS.ProcessEnv };
  /** Runs a command inside and answers its output; `kubectl` and `helm` are in its PATH and know the cluster. */
  exec(command: string, args: string[], options?: RunOptions): Promise<string>;
  /** Loads all images of an OCI layout (a directory) into the node, under the names they have there. */
  loadImages(layout: string): Promise<void>;
};

export type StartOptions = { name: string; cache: string; progress: Progress };

/** Where a cluster keeps everything it has, outside the cache. */
export const stateDir = (name: string) => join(STATE_ROOT, name);

/**
 * Starts a cluster, or answers the one of that name if it is up. What an interrupted start left behind is taken up again.
 * Builds what isn't in the cache yet. Throws when the node isn't ready in time, with the last lines of its logs.
 */
export function startCluster({ name, cache, progress }: StartOptions): Promise<Cluster> {
  return withLock(`cluster/${name}`, async () => {
    const debian = await debianTools(cache, progress);
    const binaries = await goBinaries(cache, progress);
    const pause = await pauseImage(cache, binaries);
    const state = stateDir(name);
    const layout = { name, state, binaries, debian: debian.directory, pauseImage: pause.name };
    const cluster = nativeCluster(layout, debian.env);
    await progress.step(`start Kubernetes "${name}"`, async (report) => {
      if (!(await isRunning(cluster))) {
        await stopMachine(name);
        await writeState(layout);
        await startMachine(name, state, debian.env);
      }
      await becomeReady(cluster, pause.layout, report);
    });
    return cluster;
  });
}

/** Ends a cluster and removes everything of it but the cache; harmless where there is none. */
export function stopCluster(name: string): Promise<void> {
  return withLock(`cluster/${name}`, async () => {
    await stopMachine(name);
    await rm(stateDir(name), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }); // the last may still be dying
    await rmdir(STATE_ROOT).catch(() => {}); // other clusters may still be there
  });
}

/** Answers whether a cluster may be here that only root can reach, and the caller isn't root. */
export function needsRoot(name: string): boolean {
  return process.getuid?.() !== 0 && (existsSync(netnsPath(name)) || existsSync(STATE_ROOT));
}

/** Answers the cluster of that name, if one was started here; whether it is healthy isn't asked. */
export async function findCluster(name: string): Promise<Cluster | undefined> {
  const state = stateDir(name);
  if ((await machineProcesses(name)).length === 0) return undefined;
  const layout: Layout = JSON.parse(await readFile(join(state, 'cluster.json'), 'utf8'));
  return nativeCluster(layout, toolEnvironment(layout.debian, process.env));
}

function nativeCluster(layout: Layout, env: NodeJS.ProcessEnv): Cluster {
  const { name, state, binaries } = layout;
  const kubeconfig = join(state, 'pki', 'admin.kubeconfig');
  const inside = { ...env, PATH: `${binaries}:${env['PATH']}`, KUBECONFIG: kubeconfig };
  const command = (program: string, args: string[]) => ({
    command: 'nsenter',
    args: [`--net=${netnsPath(name)}`, program, ...args],
    env: inside,
  });
  const exec = (program: string, args: string[], options: RunOptions = {}) => {
    const line = command(program, args);
    return run(line.command, line.args, { ...options, env: { ...line.env, ...options.env } });
  };
  const loadImages = (images: string) => load(state, images, env);
  return {
    name,
    kubeconfig,
    netns: netnsPath(name),
    nodeAddress: NETWORK.node,
    stateDir: state,
    command,
    exec,
    loadImages,
  };
}

/** The files of a cluster: certificates once, configuration anew at every start. */
async function writeState(layout: Layout): Promise<void> {
  const { name, state } = layout;
  await mkdir(state, { recursive: true, mode: 0o700 });
  await makePki(join(state, 'pki'), name);
  const files = {
    ...configFiles(layout),
    'cluster.json': JSON.stringify(layout, null, 2),
  };
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(state, file)), { recursive: true });
    await writeFile(join(state, file), content);
  }
  for (const directory of ['logs', 'volumes']) await mkdir(join(state, directory), { recursive: true });
}

async function becomeReady(cluster: Cluster, pause: string, report: (detail: string) => void): Promise<void> {
  const explain = () => lastLogs(cluster.stateDir);
  const kubectl = (...args: string[]) => cluster.exec('kubectl', args);
  const until = (what: string, check: () => Promise<unknown>) => {
    report(`waiting for ${what}`);
    return waitFor(what, async () => (await check()) !== false, { seconds: 180, explain });
  };
  await until('the API server', () => isHealthy(cluster));
  await cluster.loadImages(pause);
  await until('DNS and storage to be set up', () =>
    kubectl('apply', '--server-side', '-f', join(import.meta.dirname, 'addons.yaml')),
  );
  await until('the node to be ready', () =>
    kubectl('wait', '--for=condition=Ready', `node/${cluster.name}`, '--timeout=5s'),
  );
  await until('the first service account', () => kubectl('get', 'serviceaccount', 'default'));
  await until('DNS', () => cluster.exec(process.execPath, ['--eval', DNS_IS_READY]));
}

const DNS_IS_READY = "fetch('http://127.0.0.1:8181/ready').then(({ ok }) => process.exit(ok ? 0 : 1))";

/** A cluster that runs may be too busy to answer for a while: it is given a minute before it counts as down. */
async function isRunning(cluster: Cluster): Promise<boolean> {
  if ((await machineProcesses(cluster.name)).length === 0) return false;
  return waitFor('the API server', () => isHealthy(cluster), { seconds: 60 }).catch(() => false);
}

async function isHealthy(cluster: Cluster): Promise<boolean> {
  if (!existsSync(cluster.kubeconfig) || !existsSync(cluster.netns)) return false;
  return cluster.exec('kubectl', ['get', '--raw', '/readyz']).then(
    (answer) => answer === 'ok',
    () => false,
  );
}

/** Imports an OCI layout into containerd, once: what was loaded is remembered by its index. */
async function load(state: string, layout: string, env: NodeJS.ProcessEnv): Promise<void> {
  const mark = join(state, 'loaded', contentKey(await readFile(join(layout, 'index.json'))));
  if (existsSync(mark)) return;
  const ctr = `ctr --address ${containerdSocket(state)} --namespace k8s.io images import -`;
  await run('bash', ['-c', `set -o pipefail; tar -C "$1" -cf - . | ${ctr}`, 'load', layout], { env });
  await mkdir(dirname(mark), { recursive: true });
  await writeFile(mark, layout);
}

async function lastLogs(state: string): Promise<string> {
  const names = ['init', 'etcd', 'kube-apiserver', 'containerd', 'kubelet'];
  const tails = names.map(async (name) => {
    const text = await readFile(join(state, 'logs', `${name}.log`), 'utf8').catch(() => '(no log)');
    return `--- ${name}\n${text.trim().split('\n').slice(-6).join('\n')}`;
  });
  return [...(await Promise.all(tails)), `All of them: ${join(state, 'logs')}`].join('\n');
}

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from './run.ts';
import { waitFor } from './wait.ts';

const CGROUPS = '/sys/fs/cgroup';

/** The name of a cluster's network namespace and of its cgroup. */
export const machineName = (cluster: string) => `userstream-${cluster}`;

/** The file by which a cluster's network namespace is entered. */
export const netnsPath = (cluster: string) => `/run/netns/${machineName(cluster)}`;

/**
 * Starts a cluster's node: `init.ts` in network, mount and process namespaces of its own. The kernel ends everything in a
 * process namespace with its first process, and takes the mounts away with the last one.
 */
export async function startMachine(cluster: string, state: string, env: NodeJS.ProcessEnv): Promise<void> {
  await succeeds('modprobe', ['--all', 'overlay', 'br_netfilter']); // where they are modules; built in, it is no loss
  await makeCgroups(cluster);
  if (!existsSync(netnsPath(cluster))) await run('ip', ['netns', 'add', machineName(cluster)]);
  const log = openSync(join(state, 'logs', 'init.log'), 'a');
  const init = ['tini', '--', process.execPath, join(import.meta.dirname, 'init.ts'), state];
  const own = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const machine = spawn('nsenter', [`--net=${netnsPath(cluster)}`, 'unshare', ...own, ...init], {
    cwd: '/',
    env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  machine.unref();
  closeSync(log);
}

/** Ends a cluster's node and takes away its namespaces and cgroups, whatever state it was in. */
export async function stopMachine(cluster: string): Promise<void> {
  await waitFor(`the processes of ${cluster} to end`, () => killAll(cluster), { seconds: 60, everyMs: 100 });
  if (existsSync(netnsPath(cluster))) await run('ip', ['netns', 'delete', machineName(cluster)]);
  await waitFor(`the cgroups of ${cluster} to be empty`, () => removeCgroups(cluster), { seconds: 30 });
}

/** Answers the ids of the processes in a cluster's network namespace: those of the node, not those of its pods. */
export async function machineProcesses(cluster: string): Promise<number[]> {
  const namespace = await stat(netnsPath(cluster)).catch(() => undefined);
  if (!namespace) return [];
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const links = await Promise.all(ids.map((id) => readlink(`/proc/${id}/ns/net`).catch(() => '')));
  return ids.filter((_, index) => links[index] === `net:[${namespace.ino}]`);
}

async function killAll(cluster: string): Promise<boolean> {
  const ids = await machineProcesses(cluster);
  for (const id of ids) {
    try {
      process.kill(id, 'SIGKILL');
    } catch {} // it ended between the two looks
  }
  return ids.length === 0;
}

/** cgroup v1 has a tree a controller, v2 has one for all. */
async function cgroupRoots(): Promise<string[]> {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return [CGROUPS];
  const entries = await readdir(CGROUPS, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(CGROUPS, entry.name));
}

async function makeCgroups(cluster: string): Promise<void> {
  for (const root of await cgroupRoots()) {
    await enableControllers(root);
    await mkdir(join(root, machineName(cluster)), { recursive: true });
  }
}

/** v2 gives a child only the controllers that its parent names; v1 has no such file. */
async function enableControllers(root: string): Promise<void> {
  const available = await readFile(join(root, 'cgroup.controllers'), 'utf8').catch(() => '');
  const wanted = available.split(/\s+/).filter((name) => ['cpu', 'cpuset', 'memory', 'pids'].includes(name));
  if (wanted.length > 0)
    await writeFile(join(root, 'cgroup.subtree_control'), wanted.map((name) => `+${name}`).join(' '));
}

async function removeCgroups(cluster: string): Promise<boolean> {
  for (const root of await cgroupRoots()) await removeCgroup(join(root, machineName(cluster)));
  return true;
}

async function removeCgroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  await rmdir(path);
}

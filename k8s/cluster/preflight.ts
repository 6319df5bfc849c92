import { existsSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { machineProcesses, netnsPath } from './machine.ts';
import { run } from './run.ts';

const GIB = 1024 ** 3;
const NEEDED = { memory: 8 * GIB, disk: 20 * GIB, diskWhenCached: 5 * GIB, go: [1, 24] as const };

/** What each program is missed for, and how it comes to the machine. */
const PROGRAMS: Record<string, string> = {
  'apt-get':
    'this works on Debian and its kin; elsewhere install Docker and kind, which are used where they are',
  dpkg: 'this works on Debian and its kin; elsewhere install Docker and kind, which are used where they are',
  go: 'install Go 1.24 or newer and put it in PATH',
  openssl: 'apt-get install -y openssl',
  ip: 'apt-get install -y iproute2',
  nsenter: 'apt-get install -y util-linux',
  unshare: 'apt-get install -y util-linux',
  mount: 'apt-get install -y mount',
  tar: 'apt-get install -y tar',
};

/** What the machine looks like, as far as a cluster cares. */
export type Facts = {
  name: string;
  root: boolean;
  running: boolean;
  nameTaken: boolean;
  missing: string[];
  goVersion: string;
  memory: number;
  /** Whether programs and images were made before. */
  cached: boolean;
  disk: { path: string; free: number }[];
};

/** Answers what stands in the way of a cluster, one line each with the way out. Pure; nothing in the way: an empty list. */
export function obstacles(facts: Facts): string[] {
  return [name(facts), root(facts), ...programs(facts), go(facts), memory(facts), ...disk(facts)].filter(
    (line) => line !== undefined,
  );
}

function name({ name, nameTaken }: Facts): string | undefined {
  if (!isValidName(name))
    return `The cluster's name "${name}" must be 1 to 20 of a-z, 0-9 and "-", beginning with a letter: set USERSTREAM_CLUSTER to such a name.`;
  if (nameTaken)
    return `The network namespace userstream-${name} exists and is not ours: remove it (ip netns delete userstream-${name}) or choose another name with USERSTREAM_CLUSTER.`;
  return undefined;
}

function root({ root }: Facts): string | undefined {
  return root
    ? undefined
    : 'Only root can make namespaces and mounts: run it as root, or install Docker and kind.';
}

function programs({ missing }: Facts): string[] {
  return missing.map((program) => `${program} is missing: ${PROGRAMS[program]}.`);
}

function go({ missing, goVersion }: Facts): string | undefined {
  if (missing.includes('go')) return undefined;
  const [major = 0, minor = 0] = goVersion.replace('go', '').split('.').map(Number);
  const enough = major > NEEDED.go[0] || (major === NEEDED.go[0] && minor >= NEEDED.go[1]);
  return enough
    ? undefined
    : `Go ${NEEDED.go.join('.')} is needed and ${goVersion} is here: ${PROGRAMS['go']}.`;
}

function memory({ memory, running }: Facts): string | undefined {
  if (running || memory >= NEEDED.memory) return undefined;
  return `${gib(NEEDED.memory)} of memory are needed and ${gib(memory)} are available: end what uses it, or take a larger machine.`;
}

function disk({ disk, running, cached }: Facts): string[] {
  if (running) return [];
  const needed = cached ? NEEDED.diskWhenCached : NEEDED.disk;
  const short = disk.filter(({ free }) => free < needed);
  return short.map(
    ({ path, free }) =>
      `${gib(needed)} of disk are needed and ${gib(free)} are free at ${path}: make room, or set USERSTREAM_CACHE to a directory on a larger disk.`,
  );
}

/** Names become part of a network namespace's, a cgroup's and a node's name. */
export const isValidName = (name: string) => /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name);

/** Looks at the machine. Changes nothing. */
export async function lookAround(
  name: string,
  cache: string,
  state: string,
  env: NodeJS.ProcessEnv,
): Promise<Facts> {
  const valid = isValidName(name);
  const paths = [...new Set([cache, state].map(nearestDirectory))];
  return {
    name,
    root: process.getuid?.() === 0,
    running: valid && (await machineProcesses(name)).length > 0,
    nameTaken: valid && existsSync(netnsPath(name)) && !existsSync(state),
    missing: Object.keys(PROGRAMS).filter((program) => !isInPath(program, env)),
    goVersion: await run('go', ['env', 'GOVERSION'], { env }).then(
      (text) => text.trim(),
      () => '',
    ),
    memory: await availableMemory(),
    cached: ['bin', 'image-layouts'].every((kind) => existsSync(join(cache, kind))),
    disk: await Promise.all(paths.map(freeDisk)),
  };
}

async function availableMemory(): Promise<number> {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

async function freeDisk(path: string): Promise<{ path: string; free: number }> {
  const { bavail, bsize } = await statfs(path);
  return { path, free: bavail * bsize };
}

function nearestDirectory(path: string): string {
  return existsSync(path) ? path : nearestDirectory(dirname(path));
}

function isInPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}

const gib = (bytes: number) => `${(bytes / GIB).toFixed(0)} GiB`;

import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import type { Progress } from './progress.ts';
import { run } from './run.ts';

/** A set of Debian packages; `finish` does in the unpacked directory what installing would have done. */
export type PackageSet = {
  name: string;
  packages: string[];
  finish?: (directory: string) => Promise<void>;
};

/** What comes from the distribution: the container runtime and what kubelet and kube-proxy call, and what builds images. */
const NODE: PackageSet = {
  name: 'containerd, runc, buildah',
  packages: [
    'containerd',
    'runc',
    'containernetworking-plugins',
    'iptables',
    'conntrack',
    'ethtool',
    'socat',
    'tini',
    'buildah',
    'debootstrap',
  ],
  finish: linkIptables,
};

/** Programs that run from a directory of their own: `directory` holds them, `env` is what they need to be run with. */
export type Tools = { directory: string; env: NodeJS.ProcessEnv };

/** The programs that a node runs and that build images. */
export function debianTools(cache: string, progress: Progress): Promise<Tools> {
  return debianPackages(cache, NODE, progress);
}

/**
 * Unpacks Debian packages, and those they depend on that the host lacks, into the cache. Nothing is installed: apt works
 * with lists and archives of its own, and the host's package database is only read.
 */
export async function debianPackages(cache: string, set: PackageSet, progress: Progress): Promise<Tools> {
  const release = await readFile('/etc/os-release', 'utf8');
  const installed = await run('dpkg', ['--get-selections']); // names, not versions: an upgrade changes none
  const key = contentKey(release, installed, ...set.packages);
  const directory = await cached(cache, 'debian', key, (target) =>
    progress.step(`fetch ${set.name} (Debian packages)`, async (report) => {
      await download(join(target, 'apt'), set.packages, report);
      await unpack(join(target, 'apt', 'archives'), target);
      await set.finish?.(target);
    }),
  );
  return { directory, env: toolEnvironment(directory, process.env) };
}

async function download(apt: string, packages: string[], onLine: (line: string) => void): Promise<void> {
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true });
  await mkdir(join(apt, 'archives', 'partial'), { recursive: true });
  const own = [
    ['Dir::State::Lists', join(apt, 'lists')],
    ['Dir::Cache', apt],
    ['Debug::NoLocking', '1'],
    ['APT::Sandbox::User', 'root'], // apt's own user can't enter root's cache
    ['Acquire::Retries', '3'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', [...own, 'update'], { env, onLine });
  const install = ['install', '--download-only', '--reinstall', '--no-install-recommends', '--yes'];
  await run('apt-get', [...own, ...install, ...packages], { env, onLine });
}

async function unpack(archives: string, target: string): Promise<void> {
  for (const file of await readdir(archives))
    if (file.endsWith('.deb')) await run('dpkg', ['-x', join(archives, file), target]);
}

/** The names that Debian gives with its alternatives, which an unpacked package lacks. */
async function linkIptables(directory: string): Promise<void> {
  const programs = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);
  for (const program of programs) await symlink('xtables-nft-multi', join(directory, 'usr', 'sbin', program));
}

/** The environment in which the unpacked programs find each other, their libraries and iptables' extensions. */
export function toolEnvironment(directory: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const libraries = join(directory, 'usr', 'lib', triplet);
  const programs = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((path) => join(directory, path));
  return {
    ...env,
    PATH: [...programs, env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LD_LIBRARY_PATH: libraries,
    XTABLES_LIBDIR: join(libraries, 'xtables'),
  };
}

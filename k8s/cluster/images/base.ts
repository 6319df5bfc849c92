import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentKey } from '../cache.ts';
import type { Report } from '../progress.ts';
import type { RunTool } from './buildah.ts';

/** Names the base image after this file: another recipe, another base. */
export async function baseReference(): Promise<string> {
  return `userstream/base:${contentKey(await readFile(import.meta.filename)).slice(0, 12)}`;
}

/** Makes the base image: Debian bookworm as in `debian:bookworm-slim`, with nothing but its essential packages. */
export async function buildBase(
  directory: string,
  reference: string,
  tool: RunTool,
  report: Report,
): Promise<void> {
  const context = join(directory, 'tmp', 'base');
  const system = join(context, 'system');
  await writeSettings(system);
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const known = existsSync(keyring) ? [`--keyring=${keyring}`] : [];
  await tool('debootstrap', ['--variant=minbase', ...known, 'bookworm', system], report);
  await slim(system);
  await addSecurityUpdates(join(system, 'etc/apt/sources.list'));
  await tool('tar', [
    '--create',
    '--numeric-owner',
    '--file',
    join(context, 'base.tar'),
    '--directory',
    system,
    '.',
  ]);
  await writeFile(join(context, 'Containerfile'), 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n');
  const settings = [
    '--signature-policy',
    join(directory, 'etc/policy.json'),
    '--file',
    join(context, 'Containerfile'),
  ];
  await tool('buildah', ['build', ...settings, '--tag', reference, context]);
  await rm(context, { recursive: true });
}

/** No documentation is unpacked, no package kept after it is installed, no service started while an image is built. */
async function writeSettings(system: string): Promise<void> {
  for (const needed of ['etc/dpkg/dpkg.cfg.d', 'etc/apt/apt.conf.d', 'usr/sbin'])
    await mkdir(join(system, needed), { recursive: true });
  const excluded = DOCUMENTATION.map((name) => `path-exclude /usr/share/${name}/*\n`).join('');
  await writeFile(join(system, 'etc/dpkg/dpkg.cfg.d/slim'), excluded);
  const apt = [
    'APT::Keep-Downloaded-Packages "false";',
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
  ];
  await writeFile(join(system, 'etc/apt/apt.conf.d/slim'), `${apt.join('\n')}\n`);
  await writeFile(join(system, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n');
  await chmod(join(system, 'usr/sbin/policy-rc.d'), 0o755);
}

const DOCUMENTATION = ['doc', 'man', 'locale', 'info'];

async function slim(system: string): Promise<void> {
  const emptied = [
    'var/cache/apt',
    'var/lib/apt/lists',
    'var/log',
    'dev',
    ...DOCUMENTATION.map((name) => `usr/share/${name}`),
  ];
  for (const directory of emptied.map((path) => join(system, path)))
    for (const name of existsSync(directory) ? await readdir(directory) : [])
      await rm(join(directory, name), { recursive: true, force: true });
}

/** debootstrap knows the main archive only; the security archive is its neighbour on the same mirror. */
async function addSecurityUpdates(sources: string): Promise<void> {
  const main = await readFile(sources, 'utf8');
  const security = main.replace(/\/debian\/? bookworm /, '/debian-security bookworm-security ');
  if (security !== main) await writeFile(sources, main + security);
}

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tools } from '../debian.ts';
import { run } from '../run.ts';

/** Runs a program of the unpacked Debian tools, with buildah's files in a directory of ours, and answers what it printed. */
export type RunTool = (program: string, args: string[], onLine?: (line: string) => void) => Promise<string>;

/**
 * Prepares `directory` (storage, settings, scratch space) for buildah and clears what an interrupted run left.
 * Only one process at a time may use it. Nothing is read from or written to the host's /etc/containers.
 */
export async function buildahTools(directory: string, tools: Tools): Promise<RunTool> {
  const path = (name: string) => join(directory, name);
  for (const scratch of ['run', 'tmp']) await rm(path(scratch), { recursive: true, force: true });
  for (const needed of ['run', 'tmp', 'etc', 'storage']) await mkdir(path(needed), { recursive: true });
  await writeFile(
    path('etc/storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${path('storage')}"\nrunroot = "${path('run')}"\n`,
  );
  await writeFile(path('etc/policy.json'), '{"default": [{"type": "insecureAcceptAnything"}]}\n');
  for (const empty of ['registries.conf', 'containers.conf']) await writeFile(path(`etc/${empty}`), '');
  const env = {
    ...tools.env,
    DEBOOTSTRAP_DIR: join(tools.directory, 'usr/share/debootstrap'),
    BUILDAH_ISOLATION: 'chroot',
    CONTAINERS_STORAGE_CONF: path('etc/storage.conf'),
    CONTAINERS_REGISTRIES_CONF: path('etc/registries.conf'),
    CONTAINERS_CONF: path('etc/containers.conf'),
    TMPDIR: path('tmp'),
  };
  await findLibraries(directory, tools);
  const runTool: RunTool = (program, args, onLine = () => {}) =>
    run('unshare', ['--mount', 'sh', '-c', IN_OWN_MOUNTS, path('etc/ld.so.cache'), program, ...args], {
      env,
      onLine,
    });
  await runTool('buildah', ['rm', '--all']);
  return runTool;
}

/**
 * Mounts of a run vanish with it, however it ends. buildah starts itself again without its environment, so that its
 * libraries must be found through ld.so.cache: within these mounts, one that knows the unpacked ones.
 */
const IN_OWN_MOUNTS = 'mount --bind "$0" /etc/ld.so.cache && exec "$@"';

async function findLibraries(directory: string, tools: Tools): Promise<void> {
  const settings = join(directory, 'etc/ld.so.conf');
  await writeFile(settings, `${tools.env['LD_LIBRARY_PATH']}\ninclude /etc/ld.so.conf\n`);
  await run('/sbin/ldconfig', ['-X', '-C', join(directory, 'etc/ld.so.cache'), '-f', settings]);
}

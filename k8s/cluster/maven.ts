import { existsSync } from 'node:fs';
import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { debianPackages, type PackageSet } from './debian.ts';
import type { Progress } from './progress.ts';
import { run, succeeds } from './run.ts';

const MAVEN: PackageSet = { name: 'Maven', packages: ['maven'], finish: linkMaven };

/**
 * Runs Maven: the machine's own, or where there is none Debian's, unpacked into the cache. A JDK must be there.
 * Throws a CommandError with the last lines of what it printed when it fails.
 */
export async function maven(cache: string, progress: Progress, args: string[]): Promise<void> {
  const quiet = ['--batch-mode', '--quiet', ...args];
  if (await succeeds('mvn', ['-version'])) {
    await run('mvn', quiet);
    return;
  }
  const { directory, env } = await debianPackages(cache, MAVEN, progress);
  await run(join(directory, 'usr', 'share', 'maven', 'bin', 'mvn'), quiet, { env });
}

/** Points the package's links at what was unpacked, and at the host's jars where those were there already. */
async function linkMaven(directory: string): Promise<void> {
  const home = join(directory, 'usr', 'share', 'maven');
  await relink(join(home, 'conf'), '../../../etc/maven');
  await relink(join(home, 'bin', 'm2.conf'), '../../../../etc/maven/m2.conf');
  await mkdir(join(directory, 'usr', 'share', 'java'), { recursive: true });
  for (const part of ['boot', 'lib'])
    for (const link of await readdir(join(home, part))) {
      const jar = basename(await readlink(join(home, part, link)));
      const unpacked = join(directory, 'usr', 'share', 'java', jar);
      if (!existsSync(unpacked)) await relink(unpacked, join('/usr/share/java', jar));
    }
}

async function relink(link: string, target: string): Promise<void> {
  await rm(link, { force: true });
  await symlink(target, link);
}

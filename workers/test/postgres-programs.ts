import { join } from 'node:path';
import { cacheDir } from '../../k8s/cluster/cache.ts';
import { debianPackages } from '../../k8s/cluster/debian.ts';
import { Progress } from '../../k8s/cluster/progress.ts';

/** The user that Postgres' programs run as where the tests run as root, whom they refuse. */
export const NOBODY = 65534;

export const isRoot = () => process.getuid?.() === 0;

/** The environment in which Postgres' programs are found: Debian's, unpacked into the cache. */
export async function postgresEnvironment(): Promise<NodeJS.ProcessEnv> {
  const set = { name: 'Postgres', packages: ['postgresql-15'] };
  const { directory, env } = await debianPackages(cacheDir(process.env), set, new Progress(console.error));
  return { ...env, PATH: `${join(directory, 'usr/lib/postgresql/15/bin')}:${env['PATH']}` };
}

/**
 * The command line that runs a program as somebody other than root, still able to read binaries in root's own cache,
 * and that sends it `signal` when this process dies.
 */
export function unprivileged(signal: 'INT' | 'KILL', program: string, args: string[]): [string, ...string[]] {
  const nobody = [
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    '--clear-groups',
    '--inh-caps=+dac_read_search',
    '--ambient-caps=+dac_read_search',
    '--securebits=+no_setuid_fixup', // access(2), by which Postgres finds itself, regards capabilities only then
  ];
  return ['setpriv', `--pdeathsig=${signal}`, ...(isRoot() ? nobody : []), program, ...args];
}

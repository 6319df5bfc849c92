import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, cached, contentKey } from '../../k8s/cluster/cache.ts';
import { Progress } from '../../k8s/cluster/progress.ts';
import { run } from '../../k8s/cluster/run.ts';

const MODULE = join(import.meta.dirname, 'kwok');

let found: Promise<string> | undefined;

/**
 * The path of kwok, which plays the kubelets of nodes that don't exist. It is compiled from the module that
 * `kwok/go.mod` pins, unless it is in the cache.
 */
export function kwokBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  found ??= compiled(cacheDir(env), env, new Progress(console.error));
  return found;
}

async function compiled(cache: string, env: NodeJS.ProcessEnv, progress: Progress): Promise<string> {
  const pinned = await Promise.all(['go.mod', 'go.sum'].map((file) => readFile(join(MODULE, file))));
  const caches = { GOCACHE: join(cache, 'go-build'), GOMODCACHE: join(cache, 'go-mod') };
  const goEnv = { ...env, ...caches, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' };
  const directory = await cached(cache, 'kwok', contentKey(...pinned), async (target) => {
    await progress.step('compile kwok (Go, about 3 minutes, once)', async (onLine) => {
      const flags = ['-v', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags=-s -w'];
      const args = ['build', ...flags, '-o', `${target}/`, 'sigs.k8s.io/kwok/cmd/kwok'];
      await run('go', args, { cwd: MODULE, env: goEnv, onLine });
    });
  });
  return join(directory, 'kwok');
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from '../cluster/cache.ts';
import type { Progress } from '../cluster/progress.ts';
import { run } from '../cluster/run.ts';

const MODULE = 'github.com/GoogleContainerTools/skaffold/v2';

/**
 * Answers the directory of Skaffold (`skaffold`) and of its settings (`config.yaml`), by which it sends nothing home. It is
 * compiled from the module that this directory's go.mod pins, unless it is in the cache.
 */
export async function skaffoldBinary(cache: string, progress: Progress): Promise<string> {
  const cwd = import.meta.dirname;
  const pinned = await Promise.all(['go.mod', 'go.sum'].map((file) => readFile(join(cwd, file))));
  const caches = { GOCACHE: join(cache, 'go-build'), GOMODCACHE: join(cache, 'go-mod') };
  const env = { ...process.env, ...caches, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' };
  const version = await run('go', ['list', '-m', '-f', '{{.Version}}', MODULE], { cwd, env });
  const linked = `-ldflags=-s -w -X ${MODULE}/pkg/skaffold/version.version=${version.trim()}`;
  return cached(cache, 'skaffold', contentKey(...pinned, linked, SETTINGS), async (target) => {
    await writeFile(join(target, 'config.yaml'), SETTINGS);
    await progress.step('compile Skaffold (Go, about 10 minutes, once)', async (report) => {
      const build = ['build', '-v', '-trimpath', linked, '-o', `${target}/`, `${MODULE}/cmd/skaffold`];
      await run('go', build, { cwd, env, onLine: report });
    });
  });
}

const SETTINGS =
  'global: { multi-level-repo: true, collect-metrics: false, update-check: false, survey: { disable-prompt: true } }\n';

// `npm run skaffold -- …`: Skaffold on the cluster of `npm run up`. Where that was made without Docker, Skaffold builds by
// its profile `native`, and finds the images in a registry that runs as long as it does.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { cacheDir } from '../cluster/cache.ts';
import { type Cluster, findCluster } from '../cluster/cluster.ts';
import { clusterName, exitWith, main } from '../cluster/command.ts';
import { findKind } from '../cluster/kind.ts';
import { Progress } from '../cluster/progress.ts';
import { runInteractive } from '../cluster/run.ts';
import { skaffoldBinary } from './binary.ts';
import { REGISTRY } from './paths.ts';

const name = clusterName(process.env);
const cache = cacheDir(process.env);

await main(async () => {
  const skaffold = await skaffoldBinary(cache, new Progress());
  const cluster = await findCluster(name);
  if (cluster) return runNative(skaffold, cluster);
  const kind = await findKind(name, cache);
  if (!kind) exitWith([`There is no cluster "${name}" here: start it with npm run up.`]);
  await runOn(kind, skaffold, {});
});

async function runNative(skaffold: string, cluster: Cluster): Promise<void> {
  const registry = cluster.command(process.execPath, [
    join(import.meta.dirname, 'serve.ts'),
    cache,
    cluster.stateDir,
  ]);
  const server = spawn(registry.command, registry.args, {
    env: registry.env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const native = {
    SKAFFOLD_PROFILE: 'native',
    SKAFFOLD_DEFAULT_REPO: `${REGISTRY.host}:${REGISTRY.port}`,
    // `render` would look for the images in a registry that holds nothing before the first build.
    SKAFFOLD_DIGEST_SOURCE: 'local',
  };
  await runOn(cluster, skaffold, native);
  server.stdin.end();
}

async function runOn(cluster: Cluster, skaffold: string, settings: NodeJS.ProcessEnv): Promise<void> {
  const { command, args: line, env } = cluster.command(join(skaffold, 'skaffold'), process.argv.slice(2));
  const own = {
    SKAFFOLD_CONFIG: join(skaffold, 'config.yaml'),
    SKAFFOLD_CACHE_ARTIFACTS: 'false', // what is built already, our own cache and Docker's know better
    USERSTREAM_OUTSIDE: String(process.pid),
  };
  process.exitCode = await runInteractive(command, line, { ...env, ...own, ...settings });
}

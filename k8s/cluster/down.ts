// `npm run down`: removes the cluster, keeps the cache.
import { cacheDir } from './cache.ts';
import { needsRoot, stopCluster } from './cluster.ts';
import { clusterName, exitWith, main } from './command.ts';
import { stopKind } from './kind.ts';
import { isValidName } from './preflight.ts';
import { Progress } from './progress.ts';

const name = clusterName(process.env);

await main(async () => {
  if (!isValidName(name)) exitWith([`"${name}" is no cluster's name: set USERSTREAM_CLUSTER to one.`]);
  if (needsRoot(name)) exitWith([`The cluster "${name}" is root's: run npm run down as root.`]);
  await new Progress().step(`remove the cluster "${name}"`, async () => {
    await stopKind(name, cacheDir(process.env));
    await stopCluster(name);
  });
});

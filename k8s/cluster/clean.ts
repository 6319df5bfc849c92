// `npm run clean`: removes the cluster and all that was downloaded or built.
import { readdir, rm } from 'node:fs/promises';
import { cacheDir, foreignEntries } from './cache.ts';
import { needsRoot, STATE_ROOT, stopCluster } from './cluster.ts';
import { clusterName, exitWith, main } from './command.ts';
import { stopKind } from './kind.ts';
import { isValidName } from './preflight.ts';
import { Progress } from './progress.ts';

const name = clusterName(process.env);
const cache = cacheDir(process.env);

await main(async () => {
  if (!isValidName(name)) exitWith([`"${name}" is no cluster's name: set USERSTREAM_CLUSTER to one.`]);
  if (needsRoot(name)) exitWith([`The cluster "${name}" is root's: run npm run clean as root.`]);
  const clusters = await readdir(STATE_ROOT).catch(() => []);
  const others = clusters.filter((cluster) => cluster !== name);
  if (others.length > 0)
    exitWith([
      `The cache is in use by ${others.join(', ')}: first run USERSTREAM_CLUSTER=${others[0]} npm run down.`,
    ]);
  const foreign = foreignEntries(await readdir(cache).catch(() => []));
  if (foreign.length > 0)
    exitWith([
      `${cache} holds what isn't ours, ${foreign[0]}: move it elsewhere, or remove the rest by hand.`,
    ]);
  await new Progress().step(`remove the cluster "${name}" and ${cache}`, async () => {
    await stopKind(name, cache);
    await stopCluster(name);
    await rm(cache, { recursive: true, force: true });
  });
});

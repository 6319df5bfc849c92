// `npm run kubectl -- …`: kubectl on the cluster, on this terminal.
import { cacheDir } from './cache.ts';
import { findCluster, needsRoot } from './cluster.ts';
import { clusterName, exitWith, main } from './command.ts';
import { findKind } from './kind.ts';
import { runInteractive } from './run.ts';

const name = clusterName(process.env);

await main(async () => {
  const cluster = (await findCluster(name)) ?? (await findKind(name, cacheDir(process.env)));
  if (!cluster && needsRoot(name))
    exitWith([`The cluster "${name}" is root's: run npm run kubectl as root.`]);
  if (!cluster) exitWith([`There is no cluster "${name}" here: start it with npm run up.`]);
  const { command, args, env } = cluster.command('kubectl', process.argv.slice(2));
  process.exitCode = await runInteractive(command, args, env);
});

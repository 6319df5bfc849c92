// `npm run up`: a Kubernetes, the images, the operator and the quickstart's pipeline, on this machine.
import { goBinaries } from './binaries.ts';
import { cacheDir } from './cache.ts';
import { type Cluster, startCluster, stateDir } from './cluster.ts';
import { clusterName, exitWith, main } from './command.ts';
import { debianTools } from './debian.ts';
import { deploy, type Images } from './deploy.ts';
import { buildImages } from './images.ts';
import { buildWithDocker, hasKind, kindObstacles, startKind } from './kind.ts';
import { lookAround, obstacles } from './preflight.ts';
import { Progress } from './progress.ts';

type Prepared = { cluster: Cluster; images: Images };

const name = clusterName(process.env);
const cache = cacheDir(process.env);
const progress = new Progress();

/** The machine's own Kubernetes, compiled while the images are built. */
async function prepareNative(): Promise<Prepared> {
  const found = obstacles(await lookAround(name, cache, stateDir(name), process.env));
  if (found.length > 0) exitWith(found);
  progress.say(announcement());
  const tools = await debianTools(cache, progress);
  const [cluster, { layout, images }] = await Promise.all([
    goBinaries(cache, progress).then(() => startCluster({ name, cache, progress })),
    buildImages({ cache, tools, progress }),
  ]);
  await progress.step('load the images', () => cluster.loadImages(layout));
  return { cluster, images };
}

async function prepareKind(): Promise<Prepared> {
  const found = await kindObstacles(name, cache);
  if (found.length > 0) exitWith(found);
  progress.say(
    `A Kubernetes named "${name}" by kind, the images by Docker. \`npm run down\` removes the cluster.`,
  );
  const cluster = await startKind({ name, cache, progress });
  const { layout, images } = await buildWithDocker({ cache, progress });
  await progress.step('load the images', () => cluster.loadImages(layout));
  return { cluster, images };
}

function announcement(): string {
  return `A one-node Kubernetes named "${name}", from package registries alone:
  ${cache}
      programs and images, about 15 GiB; the first time makes them in 20 to 30 minutes. \`npm run clean\` removes them
  ${stateDir(name)}
      the cluster's data. \`npm run down\` removes it
  network namespace userstream-${name}
      all that runs is inside. The host's network, firewall, /etc, packages and kernel settings stay as they are
      (the kernel's modules overlay and br_netfilter are loaded where they aren't)
`;
}

const NEXT = `
The cluster stays up. What to try next:
  npm run kubectl -- get usp                     the pipeline and its state
  npm run kubectl -- get pods                    what runs for it
  npm run kubectl -- describe usp users          its conditions and events
  npm run kubectl -- edit usp users              change it while it runs
  npm run down                                   remove the cluster, keep the cache`;

await main(async () => {
  const { cluster, images } = (await hasKind()) ? await prepareKind() : await prepareNative();
  await deploy(cluster, images, progress);
  progress.say(`\n${progress.summary()}\n${NEXT}`);
});

// What Skaffold's profile `native` builds an image with: by buildah, then into the registry of `npm run skaffold` and on to
// the node, which keeps it when that registry is gone. IMAGE is what Skaffold wants it to be called.
import { cacheDir } from '../cluster/cache.ts';
import { findCluster } from '../cluster/cluster.ts';
import { clusterName, main } from '../cluster/command.ts';
import { containerdSocket } from '../cluster/config.ts';
import { debianTools } from '../cluster/debian.ts';
import { digestIn } from '../cluster/images/layout.ts';
import { buildImages } from '../cluster/images.ts';
import { Progress } from '../cluster/progress.ts';
import { registryContent } from './paths.ts';
import { tagImage } from './registry.ts';

await main(async () => {
  const wanted = process.env['IMAGE'] ?? '';
  const [, host, name, tag] = /^([^/]+)\/(userstream\/[^:]+):(.+)$/.exec(wanted) ?? [];
  if (!host || !name || !tag)
    throw new Error(`IMAGE is "${wanted}", not REGISTRY/userstream/NAME:TAG as Skaffold sets it`);
  const cluster = await findCluster(clusterName(process.env));
  if (!cluster) throw new Error('the cluster is gone: start it with npm run up');

  const cache = cacheDir(process.env);
  const progress = new Progress();
  const { layout, images } = await buildImages({
    cache,
    progress,
    tools: await debianTools(cache, progress),
  });
  const digest = await digestIn(layout, images[name.replace('userstream/', '')] ?? '');
  await tagImage(registryContent(cache, cluster.stateDir), name, tag, digest);
  const containerd = ['--address', containerdSocket(cluster.stateDir), '--namespace', 'k8s.io'];
  await cluster.exec('ctr', [...containerd, 'images', 'pull', '--plain-http', `${host}/${name}@${digest}`]);
});

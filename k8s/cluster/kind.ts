import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster, StartOptions } from './cluster.ts';
import { buildArguments, IMAGES, imageReference } from './images/catalog.ts';
import { isValidName } from './preflight.ts';
import type { Progress } from './progress.ts';
import { type RunOptions, run, succeeds } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BASE = 'debian:bookworm-slim';

/** Answers whether Docker and kind can be used: then they make the cluster and the images. */
export async function hasKind(): Promise<boolean> {
  return (await succeeds('kind', ['version'])) && (await succeeds('docker', ['info']));
}

/** What stands in the way of a cluster by kind, one line each with the way out. */
export async function kindObstacles(name: string, cache: string): Promise<string[]> {
  const found: string[] = [];
  if (!isValidName(name))
    found.push(`"${name}" can't be a cluster's name: set USERSTREAM_CLUSTER to a-z, 0-9 and "-".`);
  else if ((await kindHas(name)) && !existsSync(kindCluster(name, cache).stateDir))
    found.push(`kind has a cluster "${name}" that is not ours: choose another name with USERSTREAM_CLUSTER.`);
  if (!(await succeeds('kubectl', ['version', '--client'])))
    found.push('kubectl is missing: install it beside kind.');
  if (!(await succeeds('helm', ['version']))) found.push('helm is missing: install Helm 3 beside kind.');
  return found;
}

/** Starts a cluster with kind, or answers the one of that name. What an interrupted start left behind is made anew. */
export async function startKind({ name, cache, progress }: StartOptions): Promise<Cluster> {
  const found = await findKind(name, cache);
  if (found) return found;
  await stopKind(name, cache);
  const cluster = kindCluster(name, cache);
  await mkdir(cluster.stateDir, { recursive: true });
  const create = ['create', 'cluster', '--name', name, '--kubeconfig', cluster.kubeconfig, '--wait', '180s'];
  await progress.step(`start Kubernetes "${name}" with kind`, () => run('kind', create));
  return cluster;
}

/** Ends a cluster that was begun here, whole or not; harmless where there is none. */
export async function stopKind(name: string, cache: string): Promise<void> {
  const { kubeconfig, stateDir } = kindCluster(name, cache);
  if (!existsSync(stateDir)) return;
  if (await kindHas(name))
    await run('kind', ['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig]);
  await rm(stateDir, { recursive: true, force: true });
}

/** Answers the cluster of that name that kind started here, if there is one. kind writes the kubeconfig last. */
export async function findKind(name: string, cache: string): Promise<Cluster | undefined> {
  const cluster = kindCluster(name, cache);
  return existsSync(cluster.kubeconfig) && (await kindHas(name)) ? cluster : undefined;
}

async function kindHas(name: string): Promise<boolean> {
  const clusters = await run('kind', ['get', 'clusters']);
  return clusters.split('\n').includes(name);
}

/** Builds every image with Docker; `layout` is the archive that `loadImages` takes. */
export async function buildWithDocker(options: { cache: string; progress: Progress }) {
  const images: Record<string, string> = {};
  for (const image of IMAGES) {
    const reference = await imageReference(ROOT, image, BASE);
    images[image.name] = reference;
    const build = ['build', '--tag', reference, ...buildArguments(ROOT, image, BASE), ROOT];
    await options.progress.step(`build the image ${image.name}`, (onLine) =>
      run('docker', build, { onLine }),
    );
  }
  const layout = join(options.cache, 'kind', 'images.tar');
  await mkdir(join(options.cache, 'kind'), { recursive: true });
  await run('docker', ['save', '--output', layout, ...Object.values(images)]);
  return { layout, images };
}

function kindCluster(name: string, cache: string): Cluster {
  const stateDir = join(cache, 'kind', name);
  const kubeconfig = join(stateDir, 'kubeconfig');
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const command = (program: string, args: string[]) => ({ command: program, args, env });
  const exec = (program: string, args: string[], options: RunOptions = {}) =>
    run(program, args, { ...options, env: { ...env, ...options.env } });
  const loadImages = async (archive: string) => {
    await run('kind', ['load', 'image-archive', archive, '--name', name]);
  };
  return { name, kubeconfig, netns: '', nodeAddress: '127.0.0.1', stateDir, command, exec, loadImages };
}

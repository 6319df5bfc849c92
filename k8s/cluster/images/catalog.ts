import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contentKey } from '../cache.ts';

/** An image of ours: `k8s/images/<name>/Containerfile`, built with the repository as context, out of `inputs`. */
export type Image = { name: string; inputs: string[] };

const NODE_INPUTS = [
  'package.json',
  'package-lock.json',
  'operator/package.json',
  'workers/package.json',
  'k8s/images/node.txt',
];

/** Every image, those that other work waits for first. */
export const IMAGES: Image[] = [
  { name: 'kafka', inputs: ['k8s/images/kafka'] },
  { name: 'postgres', inputs: ['k8s/images/postgres'] },
  { name: 'operator', inputs: ['k8s/images/operator', ...NODE_INPUTS, 'operator'] },
  { name: 'workers', inputs: ['k8s/images/workers', ...NODE_INPUTS, 'workers'] },
  { name: 'cassandra', inputs: ['k8s/images/cassandra'] },
  { name: 'registry', inputs: ['k8s/images/registry'] },
  { name: 'spark', inputs: ['k8s/images/spark', 'workers/spark'] },
];

/** The image's name and tag. The tag names the content: all inputs and what the base is made from. */
export async function imageReference(root: string, image: Image, base: string): Promise<string> {
  const files = (await Promise.all(image.inputs.map((input) => filesBelow(root, input)))).flat().sort();
  const contents = await Promise.all(files.map((file) => readFile(join(root, file))));
  return `userstream/${image.name}:${contentKey(base, ...files, ...contents).slice(0, 12)}`;
}

/** The arguments of `docker build` or `buildah build` that are the same in both. */
export function buildArguments(root: string, image: Image, base: string): string[] {
  return ['--build-arg', `BASE=${base}`, '--file', join(root, 'k8s/images', image.name, 'Containerfile')];
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  if ((await stat(join(root, path))).isFile()) return [path];
  const entries = await readdir(join(root, path), { withFileTypes: true });
  const kept = entries.filter((entry) => !isLeftOut(entry.name));
  return (await Promise.all(kept.map((entry) => filesBelow(root, join(path, entry.name))))).flat();
}

/** The names that `.dockerignore` keeps out of the context, and so out of every image, beside unit tests. */
export const LEFT_OUT = ['node_modules', 'test', 'spark-warehouse', '__pycache__'];

function isLeftOut(name: string): boolean {
  return LEFT_OUT.includes(name) || name.endsWith('.test.ts');
}

import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, cached, contentKey } from '../../k8s/cluster/cache.ts';
import { maven } from '../../k8s/cluster/maven.ts';
import { Progress } from '../../k8s/cluster/progress.ts';

const IMAGES = join(import.meta.dirname, '../../k8s/images');

/**
 * The directory with the jars that image `name` is built from, resolved by Maven from the image's own pom.xml and kept
 * in the cache outside the checkout. `goal` is the Containerfile's.
 */
export async function jarsOf(
  name: 'kafka' | 'registry' | 'cassandra',
  goal: 'copy-dependencies' | 'unpack',
): Promise<string> {
  const cache = cacheDir(process.env);
  const progress = new Progress(console.error);
  const pom = join(IMAGES, name, 'pom.xml');
  return cached(cache, 'jars', `${name}-${contentKey(await readFile(pom))}`, async (directory) => {
    await copyFile(pom, join(directory, 'pom.xml')); // Maven leaves its notes beside it
    const options = ['-DincludeScope=runtime', `-DoutputDirectory=${directory}`];
    await progress.step(`download the jars of ${name} (Maven)`, () =>
      maven(cache, progress, ['-f', directory, `dependency:${goal}`, ...options]),
    );
  });
}

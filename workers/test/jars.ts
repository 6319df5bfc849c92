import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, cached, contentKey } from '../../k8s/cluster/cache.ts';
import { maven } from '../../k8s/cluster/maven.ts';
import { Progress } from '../../k8s/cluster/progress.ts';

const IMAGES = join(import.meta.dirname, '../../k8s/images');

type Goal = 'copy-dependencies' | 'unpack';

/** The directory with the jars that image `name` is built from. `goal` is the Containerfile's. */
export async function jarsOf(name: 'kafka' | 'registry' | 'cassandra', goal: Goal): Promise<string> {
  return jarsOfPom(name, join(IMAGES, name, 'pom.xml'), goal);
}

/** The directory with the jars of the file `pom`, resolved by Maven and kept in the cache outside the checkout. */
export async function jarsOfPom(name: string, pom: string, goal: Goal): Promise<string> {
  const cache = cacheDir(process.env);
  const progress = new Progress(console.error);
  return cached(cache, 'jars', `${name}-${contentKey(await readFile(pom))}`, async (directory) => {
    await copyFile(pom, join(directory, 'pom.xml')); // Maven leaves its notes beside it
    const options = ['-DincludeScope=runtime', `-DoutputDirectory=${directory}`];
    await progress.step(`download the jars of ${name} (Maven)`, () =>
      maven(cache, progress, ['-f', directory, `dependency:${goal}`, ...options]),
    );
  });
}

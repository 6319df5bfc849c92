import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, cached, contentKey } from '../../k8s/cluster/cache.ts';
import { maven } from '../../k8s/cluster/maven.ts';
import { Progress } from '../../k8s/cluster/progress.ts';
import { run } from '../../k8s/cluster/run.ts';

const IMAGE = join(import.meta.dirname, '../../k8s/images/spark');

/**
 * The directory with PySpark, the jars beside its own and the job's Python packages: what the Spark image is made of, from
 * the same lists, kept in the cache outside the checkout. Python 3 with pip must be there.
 */
export async function pysparkHome(): Promise<string> {
  const cache = cacheDir(process.env);
  const progress = new Progress(console.error);
  const lists = [join(IMAGE, 'requirements.txt'), join(IMAGE, 'pom.xml')] as const;
  const key = contentKey(...(await Promise.all(lists.map((list) => readFile(list)))));
  return cached(cache, 'pyspark', key, async (directory) => {
    const [requirements, pom] = lists;
    await progress.step('install PySpark (pip)', () =>
      run('python3', [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--no-compile',
        '--target',
        directory,
        '-r',
        requirements,
      ]),
    );
    const project = join(directory, 'maven');
    await mkdir(project);
    await copyFile(pom, join(project, 'pom.xml')); // Maven leaves its notes beside it
    const options = ['-DexcludeTransitive=true', `-DoutputDirectory=${join(directory, 'pyspark', 'jars')}`];
    await progress.step('download the jars of spark (Maven)', () =>
      maven(cache, progress, ['-f', project, 'dependency:copy-dependencies', ...options]),
    );
  });
}

import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../k8s/cluster/run.ts';
import { pysparkHome } from '../test/pyspark.ts';
import { pythonEnv } from '../test/spark.ts';

test('Spark’s own part of the job, in Python', { timeout: 600_000 }, async () => {
  const directory = join(import.meta.dirname, 'test');
  // The workers' Python finds the tests' modules where it is started.
  for (const pattern of ['test_*.py', 'integration_*.py'])
    await run('python3', ['-m', 'unittest', 'discover', '-p', pattern], {
      cwd: directory,
      env: pythonEnv(await pysparkHome()),
    });
});

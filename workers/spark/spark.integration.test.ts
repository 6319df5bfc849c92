import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../../k8s/cluster/run.ts';
import { pysparkHome } from '../test/pyspark.ts';
import { SinkBench } from '../test/sink.ts';
import { pythonEnv } from '../test/spark.ts';
import { deadLetters } from './test/dead-letters.ts';
import { epochs } from './test/epochs.ts';
import { removedUnread } from './test/removed.ts';
import { usersStand } from './test/users.ts';

/** It leaves some out, makes much of others, and throws an error on a few. */
const SQL = `SELECT *, CASE WHEN username = 'large' THEN repeat(first_name, int(post_code)) END AS large,
    CASE WHEN username = 'odd' THEN int(to_number(post_code, '999')) END AS odd
  FROM users WHERE coalesce(nationality, '') <> 'XX'`;

test('Spark’s own part of the job, in Python', { timeout: 600_000 }, async () => {
  const directory = join(import.meta.dirname, 'test');
  // The workers' Python finds the tests' modules where it is started.
  for (const pattern of ['test_*.py', 'integration_*.py'])
    await run('python3', ['-m', 'unittest', 'discover', '-p', pattern], {
      cwd: directory,
      env: pythonEnv(await pysparkHome()),
    });
});

describe('the streaming job', { timeout: 900_000 }, () => {
  let bench: SinkBench = undefined as never;
  const running = () => bench;

  before(async () => {
    bench = await SinkBench.start({ sql: SQL });
    await bench.startSpark();
  });

  after(() => bench?.stop());

  usersStand(running);
  deadLetters(running);
  epochs(running);
  removedUnread(running);
});

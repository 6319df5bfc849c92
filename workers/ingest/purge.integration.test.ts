import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IngestBench } from '../test/ingest.ts';
import { until } from '../test/wait.ts';
import { Purge } from './purge.ts';

const HOUR_MS = 3_600_000;

describe('rejected users', () => {
  const bench = IngestBench.hook();

  const reject = (count: number, days: number) =>
    bench.pool.query(
      `INSERT INTO rejected_users (received_at, reason, raw)
       SELECT now() - $2 * interval '1 day', 'bad', '{}' FROM generate_series(1, $1)`,
      [count, days],
    );

  test('go after 31 days, however many they are, and no other does', async () => {
    await reject(2500, 31.01);
    await reject(3, 30.99);
    assert.equal(await new Purge(bench.pool, Date.now).run(), 2500);
    assert.equal(await bench.count('rejected_users'), 3);
  });

  test('are looked for once an hour', async () => {
    let now = 0;
    const purge = new Purge(bench.pool, () => now);
    await purge.run();
    await reject(1, 32);
    now = HOUR_MS - 1;
    assert.equal(await purge.run(), 0);
    now = HOUR_MS;
    assert.equal(await purge.run(), 1);
  });

  test('go while the source is down too', async () => {
    await reject(5, 32);
    const source = await bench.startBadSource(() => ({ status: 500, body: '' }));
    await bench.startIngest(source.url);
    await until('the old ones to be gone', async () => (await bench.count('rejected_users')) === 0);
  });
});

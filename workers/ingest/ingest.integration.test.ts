import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NATIONALITIES } from '../source/nationalities.ts';
import { sourceUser } from '../source/users.ts';
import { IngestBench, readiness, reports } from '../test/ingest.ts';
import { runToEnd } from '../test/process.ts';
import { until } from '../test/wait.ts';

const pageOf = (url: URL) => Number(url.searchParams.get('page') ?? 1);
const user = (index: number) => sourceUser('flow', NATIONALITIES, index);
const answerOf = (results: unknown[]) => ({ body: JSON.stringify({ results }) });

describe('ingest', () => {
  const bench = IngestBench.hook();

  test('carries a whole sequence, two replicas at once, through kill -9 again and again', async () => {
    const limit = 4000;
    const source = await bench.startSource({ SOURCE_LIMIT: String(limit) });
    const options = { seed: 'crash', batchSize: 50 };
    const start = (replica: number) => bench.startIngest(source.url, options, `ingest-${replica}`);
    const workers = [await start(0), await start(1)];
    for (let kill = 1; kill <= 4; kill += 1) {
      await bench.hasUsers(kill * 700);
      await workers[kill % 2]?.end('SIGKILL');
      workers[kill % 2] = await start(kill % 2);
    }
    await until('the sequence to end', async () => (await bench.nextPage()) === String(limit / 50 + 1));
    assert.equal(await bench.assertSameAsServed(source.port), limit);
    assert.equal(await bench.count('rejected_users'), 0);
  });

  test('fetches each page once, says how fast, and takes up after SIGTERM where it stopped', async () => {
    const source = await bench.startBadSource((url) => {
      const first = (pageOf(url) - 1) * 10;
      return answerOf(pageOf(url) > 30 ? [] : Array.from({ length: 10 }, (_, index) => user(first + index)));
    });
    const options = { seed: 'once', batchSize: 10, intervalMs: 20 };
    const first = await bench.startIngest(source.url, options);
    await bench.hasUsers(50);
    assert.equal(await first.end('SIGTERM'), 0);
    const second = await bench.startIngest(source.url, options);
    await bench.hasUsers(300);
    await until(
      'the end to be seen',
      () => source.requests.filter(({ url }) => pageOf(url) === 31).length > 1,
    );
    const pages = source.requests.map(({ url }) => pageOf(url)).filter((page) => page <= 30);
    assert.deepEqual(
      pages,
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    const { ready, figures } = await readiness(second);
    assert.ok(ready);
    assert.deepEqual(Object.keys(figures ?? {}), ['users', 'usersPerSecond']);
    const metrics = await (await fetch(`http://127.0.0.1:${second.port}/metrics`)).text();
    assert.match(metrics, /^userstream_ingest_users_total\{worker="ingest"\} [1-9]/m);
    assert.match(metrics, /^userstream_ingest_requests_total\{outcome="Ok",worker="ingest"\} [1-9]/m);
  });

  test('three replicas ask for no page twice, and leave none out', async () => {
    const pages = 60;
    const source = await bench.startBadSource((url) => {
      const first = (pageOf(url) - 1) * 2;
      return answerOf(pageOf(url) > pages ? [] : [user(first), user(first + 1)]);
    });
    const options = { seed: 'shared', batchSize: 2, intervalMs: 5 };
    for (const host of ['a', 'b', 'c']) await bench.startIngest(source.url, options, host);
    await bench.hasUsers(2 * pages);
    const asked = source.requests.map(({ url }) => pageOf(url)).filter((page) => page <= pages);
    assert.deepEqual(
      asked.sort((one, other) => one - other),
      Array.from({ length: pages }, (_, index) => index + 1),
    );
  });

  test('the page of a replica that is gone for good is taken over when its claim has expired', async () => {
    let stuck = true;
    const source = await bench.startBadSource((url) =>
      pageOf(url) > 9 ? answerOf([]) : stuck ? { status: 500, body: '' } : answerOf([user(pageOf(url))]),
    );
    const options = { seed: 'gone', batchSize: 1 };
    const lost = await bench.startIngest(source.url, options, 'lost');
    await reports(lost, 'SourceUnavailable');
    await lost.end('SIGKILL');
    stuck = false;
    await bench.startIngest(source.url, options, 'other');
    await bench.hasUsers(8);
    assert.equal(await bench.nextPage(), '1');
    await bench.pool.query("UPDATE ingest_claims SET expires_at = now() WHERE owner = 'lost'");
    await bench.hasUsers(9);
  });

  test('replicas share the budget, which a kill -9 doesn’t fill up: the real source never answers 429', async () => {
    const rate = { SOURCE_RATE_USERS: '300', SOURCE_RATE_PER_MS: '3000' };
    const source = await bench.startSource({ ...rate, SOURCE_LIMIT: '1200' });
    const options = { seed: 'budget', batchSize: 50, rateLimit: { users: 300, perMs: 3000 } };
    const start = (host: string) => bench.startIngest(source.url, options, host);
    const [first, ...others] = [await start('a'), await start('b'), await start('c')];
    await bench.hasUsers(300);
    await first.end('SIGKILL');
    const replicas = [await start('a'), ...others];
    await bench.hasUsers(1200);
    assert.equal(await bench.assertSameAsServed(source.port), 1200);
    for (const { output } of replicas) assert.doesNotMatch(output(), /SourceRateLimited/);
  });

  test('takes random batches without a seed, until there are no more', async () => {
    const source = await bench.startSource({ SOURCE_LIMIT: '1234' });
    await bench.startIngest(source.url);
    await bench.hasUsers(1234);
    assert.equal(await bench.assertSameAsServed(source.port), 1234);
  });

  test('keeps to the rate limit by itself: the real source never answers 429', async () => {
    const rate = { SOURCE_RATE_USERS: '300', SOURCE_RATE_PER_MS: '1000' };
    const source = await bench.startSource({ ...rate, SOURCE_LIMIT: '900' });
    const started = Date.now();
    const worker = await bench.startIngest(source.url, {
      seed: 'rate',
      rateLimit: { users: 300, perMs: 1000 },
    });
    await bench.hasUsers(900);
    assert.ok(Date.now() - started >= 2000);
    const metrics = await (await fetch(`http://127.0.0.1:${worker.port}/metrics`)).text();
    assert.doesNotMatch(metrics, /outcome="SourceRateLimited"/);
  });

  test('a Postgres that goes away costs no user, also of a random batch in hand', async () => {
    const source = await bench.startSource({ SOURCE_LIMIT: '1500' });
    const worker = await bench.startIngest(source.url, { batchSize: 50, intervalMs: 20 });
    await bench.hasUsers(500);
    await bench.postgres.halt();
    const { stage, message } = await reports(worker, 'PostgresUnreachable');
    assert.equal(stage, 'Postgres');
    assert.match(message, /check that the server is up/);
    await bench.postgres.start();
    await bench.hasUsers(1500);
    assert.equal(await bench.assertSameAsServed(source.port), 1500);
  });

  test('a wrong configuration ends it with the field’s name', async () => {
    const faults: [source: Parameters<IngestBench['options']>[1], message: RegExp][] = [
      [{ batchSize: 5001, seed: 5 as never }, /source\.batchSize: .*; source\.seed: /],
      [{ batchSize: 500, rateLimit: { users: 100, perMs: 1 } }, /source\.batchSize: a batch larger than/],
    ];
    for (const [source, message] of faults) {
      const { code, output } = await runToEnd('ingest', bench.options('http://127.0.0.1:1/', source));
      assert.equal(code, 1);
      assert.match(output, message);
    }
  });
});

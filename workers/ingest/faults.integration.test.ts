import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NATIONALITIES } from '../source/nationalities.ts';
import { sourceUser } from '../source/users.ts';
import { IngestBench, type Reply, reports } from '../test/ingest.ts';
import { startProxy } from '../test/proxy.ts';
import { freePort, until } from '../test/wait.ts';

const pageOf = (url: URL) => Number(url.searchParams.get('page') ?? 1);
const user = (index: number) => sourceUser('faults', NATIONALITIES, index);
const answerOf = (results: unknown[]) => ({ body: JSON.stringify({ results }) });

describe('faults of the source', () => {
  const bench = IngestBench.hook();

  test('keeps bad users apart, with their reasons, and the good ones around them', async () => {
    const bad = [{ name: { first: 'No Uuid' } }, { ...user(1), email: 'a\0b' }, 'a string'];
    const source = await bench.startBadSource((url) =>
      answerOf(pageOf(url) === 1 ? [user(0), ...bad, user(2)] : pageOf(url) === 2 ? [user(3)] : []),
    );
    const worker = await bench.startIngest(source.url, { seed: 'bad' });
    await bench.hasUsers(3);
    const { rows } = await bench.pool.query('SELECT source, reason, raw FROM rejected_users ORDER BY id');
    assert.deepEqual(
      rows.map(({ raw }) => JSON.parse(raw)),
      bad,
    );
    assert.match(
      rows.map(({ reason }) => reason).join('\n'),
      /^login: .*\nemail: contains U\+0000.*\n\(user\): /,
    );
    assert.doesNotMatch(rows[0].source + worker.output(), /SECRET/);
  });

  test('a page that breaks off is asked for again, and its good users are kept meanwhile', async () => {
    const results = Array.from({ length: 10 }, (_, index) => user(index));
    const { body } = answerOf(results);
    let mend = false;
    const source = await bench.startBadSource((url) => {
      if (pageOf(url) > 1) return answerOf([]);
      return mend ? { body } : { body: body.slice(0, body.indexOf(user(4).login.uuid)), cut: true };
    });
    const worker = await bench.startIngest(source.url, { seed: 'cut' });
    const { message } = await reports(worker, 'SourceInvalidResponse');
    assert.match(message, /broke off after 4 good users.*asked for again/);
    assert.deepEqual(
      [await bench.count('users'), await bench.count('rejected_users'), await bench.nextPage()],
      [4, 0, '1'],
    );
    mend = true;
    await bench.hasUsers(10);
    await reports(worker, 'Running');
    assert.equal(await bench.count('rejected_users'), 0);
  });

  test('a random batch that breaks off is not to be had again: nothing of it is thrown away', async () => {
    const { body } = answerOf([user(0), user(1)]);
    const source = await bench.startBadSource((_, count) =>
      count === 1 ? { body: body.slice(0, -50), cut: true } : answerOf([]),
    );
    await bench.startIngest(source.url);
    await until('the rest to be kept', async () => (await bench.count('rejected_users')) === 1);
    assert.equal(await bench.count('users'), 1);
    const { rows } = await bench.pool.query('SELECT raw FROM rejected_users');
    assert.equal(String(rows[0].raw), JSON.stringify(user(1)).slice(0, -48));
  });

  test('a random batch whose commit was not answered is kept once', async () => {
    const source = await bench.startBadSource((_, count) =>
      answerOf(count === 1 ? [user(0), { name: {} }, { name: {} }] : []),
    );
    const proxy = await startProxy(bench.postgres.section);
    proxy.loseAnswerTo('INSERT INTO rejected_users');
    try {
      const worker = await bench.startIngest(source.url, {}, 'ingest-0', proxy.port);
      await until('the next batch', () => source.requests.length > 1);
      assert.match(worker.output(), /PostgresUnreachable/);
    } finally {
      await proxy.close();
    }
    assert.deepEqual([await bench.count('users'), await bench.count('rejected_users')], [1, 2]);
  });

  test('an API that fails, or answers something else, is reported and asked again until it heals', async () => {
    let reply: Reply | undefined;
    const source = await bench.startBadSource((url) => reply ?? answerOf(pageOf(url) === 1 ? [user(0)] : []));
    const faults: [Reply, string, RegExp][] = [
      [{ status: 500, body: '' }, 'SourceUnavailable', /answered 500/],
      [{ status: 404, body: '' }, 'SourceRefused', /check the path and parameters/],
      [
        { body: '<html>Welcome</html>' },
        'SourceInvalidResponse',
        /is not JSON; check that spec\.source\.url/,
      ],
      [{ body: '{"error": "no"}' }, 'SourceInvalidResponse', /list "results"/],
    ];
    reply = faults[0]?.[0];
    const worker = await bench.startIngest(source.url, { seed: 'heals' });
    for (const [fault, reason, message] of faults) {
      reply = fault;
      const { stage } = await reports(worker, reason, message);
      assert.equal(stage, 'Source');
    }
    reply = undefined;
    await reports(worker, 'Running');
    await bench.hasUsers(1);
  });

  test('an API that can’t be reached is reported, and found when it comes', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const worker = await bench.startIngest(url, { seed: 'gone' });
    const { message } = await reports(worker, 'SourceUnavailable');
    assert.match(message, /can't be reached: .*ECONNREFUSED.*; check spec\.source\.url/);
    await bench.startBadSource(() => answerOf([user(0)]), port);
    await bench.hasUsers(1);
  });

  test('Retry-After is honoured', async () => {
    const source = await bench.startBadSource((_, count) =>
      count === 1 ? { status: 429, headers: { 'retry-after': '2' }, body: '' } : answerOf([user(0)]),
    );
    const worker = await bench.startIngest(source.url, { seed: 'later' });
    const { message } = await reports(worker, 'SourceRateLimited');
    assert.match(message, /answered 429.* in 2 s/);
    await bench.hasUsers(1);
    const [first, second] = source.requests.map(({ at }) => at);
    assert.ok((second ?? 0) - (first ?? 0) >= 1990);
  });

  test('Retry-After holds for all replicas, also for one that comes later', async () => {
    const limit = { seed: 'all', rateLimit: { users: 1000, perMs: 500 } };
    const source = await bench.startBadSource((_, count) =>
      count === 1 ? { status: 429, headers: { 'retry-after': '3' }, body: '' } : answerOf([user(0)]),
    );
    const first = await bench.startIngest(source.url, limit, 'first');
    await reports(first, 'SourceRateLimited');
    await first.end('SIGKILL');
    await bench.startIngest(source.url, limit, 'second');
    await bench.hasUsers(1);
    const [refused, next] = source.requests.map(({ at }) => at);
    assert.ok((next ?? 0) - (refused ?? 0) >= 2990);
  });
});

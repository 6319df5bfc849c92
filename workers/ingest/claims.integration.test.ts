import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import { IngestBench } from '../test/ingest.ts';
import { Claims } from './claims.ts';
import { Store } from './store.ts';

const nothing = { users: [], rejected: [], source: 'http://source/' };

describe('claims', () => {
  const bench = IngestBench.hook();
  const replica = (name: string, sequence = 'seed=a') => new Claims(bench.pool, sequence, name);
  const pages = async (takes: Promise<{ page: number }>[]) =>
    (await Promise.all(takes)).map(({ page }) => page).sort((one, other) => one - other);
  const expire = () => bench.pool.query('UPDATE ingest_claims SET expires_at = now()');

  test('all who come at once get pages of their own, in each sequence from the first on', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `ingest-${index}`);
    assert.deepEqual(await pages(names.map((name) => replica(name).take())), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal((await replica('ingest-0', 'seed=b').take()).page, 1);
  });

  test('a sequence that was begun before there were claims goes on where it was', async () => {
    await bench.pool.query("INSERT INTO ingest_state (sequence, next_page) VALUES ('seed=a', 7)");
    assert.deepEqual(await pages(['a', 'b'].map((name) => replica(name).take())), [7, 8]);
  });

  test('who is restarted takes up his own page, whom nobody has heard of for long loses it', async () => {
    assert.deepEqual(await pages(['a', 'b', 'c'].map((name) => replica(name).take())), [1, 2, 3]);
    const [first] = (await bench.pool.query('SELECT owner FROM ingest_claims ORDER BY page')).rows;
    assert.equal((await replica(first.owner).take()).page, 1);
    await expire();
    assert.deepEqual(await pages(['d', 'e', 'f', 'g'].map((name) => replica(name).take())), [1, 2, 3, 4]);
  });

  test('a page that was stored is not claimed again, by nobody', async () => {
    const store = new Store(bench.pool, USER_COLUMNS);
    const claim = await replica('a').take();
    assert.equal(await store.writeClaimed(nothing, claim), true);
    await expire();
    assert.deepEqual(await pages(['a', 'b'].map((name) => replica(name).take())), [2, 3]);
  });

  test('who lost his page to another stores nothing of it', async () => {
    const store = new Store(bench.pool, USER_COLUMNS);
    const late = await replica('late').take();
    await expire();
    const claim = await replica('other').take();
    assert.equal(claim.page, late.page);
    const rejected = [{ reason: 'twice', raw: Buffer.from('{}') }];
    assert.equal(await store.writeClaimed({ ...nothing, rejected }, late), false);
    assert.equal(await bench.count('rejected_users'), 0);
    assert.equal(await store.writeClaimed({ ...nothing, rejected }, claim), true);
    assert.equal(await bench.count('rejected_users'), 1);
  });

  test('a page that was given back is the next one, for whoever comes', async () => {
    const claim = await replica('a').take();
    assert.equal((await replica('b').take()).page, 2);
    await replica('a').release(claim);
    assert.equal((await replica('c').take()).page, 1);
    await replica('a').release(claim);
    assert.equal((await replica('d').take()).page, 3);
  });
});

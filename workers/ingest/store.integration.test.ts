import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { apiUser, toUser, USER_COLUMNS, type User } from '../lib/user.ts';
import { NATIONALITIES } from '../source/nationalities.ts';
import { sourceUser } from '../source/users.ts';
import { IngestBench } from '../test/ingest.ts';
import { Claims } from './claims.ts';
import { Store } from './store.ts';

const users = Array.from({ length: 50 }, (_, index) =>
  toUser(apiUser.parse(sourceUser('store', NATIONALITIES, index))),
);
const batch = { users, rejected: [], source: 'http://source/' };

describe('the store', () => {
  const bench = IngestBench.hook();
  let store: Store;
  beforeEach(() => {
    store = new Store(bench.pool, USER_COLUMNS);
  });

  const claimed = (sequence: string) => new Claims(bench.pool, sequence, 'ingest-0').take();

  const rows = async () => (await bench.pool.query('SELECT * FROM users ORDER BY id')).rows;
  const walPosition = async () =>
    (await bench.pool.query('SELECT pg_current_wal_insert_lsn() AS lsn')).rows[0].lsn;

  test('keeps every field of every user', async () => {
    await store.write(batch);
    const stored = (await rows()).map((row) => ({
      ...row,
      dob: row.dob.toISOString(),
      registered_date: row.registered_date.toISOString(),
    }));
    assert.deepEqual(stored, sorted(users));
  });

  test('a user who did not change causes no WAL, one who did is updated, one who is new is added', async () => {
    await store.write({ ...batch, users: users.slice(1) });
    // Rows that other tests left dead would be pruned when their page is read, which is WAL as well.
    await bench.pool.query('VACUUM users');
    const position = await walPosition();
    await store.write({ ...batch, users: users.slice(1) });
    assert.equal(await walPosition(), position);
    const changed = users.map((user, index) => (index === 5 ? { ...user, email: null, dob: null } : user));
    const before = await bench.pool.query('SELECT id, xmin FROM users');
    await store.write({ ...batch, users: changed });
    const after = await bench.pool.query('SELECT id, xmin FROM users');
    const versions = new Set(before.rows.map(({ id, xmin }) => `${id} ${xmin}`));
    const touched = after.rows.filter(({ id, xmin }) => !versions.has(`${id} ${xmin}`)).map(({ id }) => id);
    assert.deepEqual(touched.sort(), [users[0]?.id, users[5]?.id].sort());
    const updated = (await rows()).find(({ id }) => id === users[5]?.id);
    assert.deepEqual([updated.email, updated.dob, updated.gender], [null, null, users[5]?.gender]);
  });

  test('of all who write the same page at once one does, whole', async () => {
    const claim = await claimed('seed=a');
    const rejected = [{ reason: 'no uuid', raw: Buffer.from([0, 0xff, 0x7b]) }];
    const writes = Array.from({ length: 8 }, () => store.writeClaimed({ ...batch, rejected }, claim));
    assert.deepEqual((await Promise.all(writes)).filter(Boolean), [true]);
    assert.equal(await bench.nextPage(), '2');
    assert.equal((await rows()).length, users.length);
    const refused = await bench.pool.query('SELECT source, reason, raw FROM rejected_users');
    assert.deepEqual(refused.rows, [{ source: batch.source, ...rejected[0] }]);
  });

  test('a page that was not claimed changes nothing', async () => {
    const claim = await claimed('seed=b');
    assert.equal(await store.writeClaimed(batch, { ...claim, page: 2 }), false);
    assert.equal(await store.writeClaimed(batch, { ...claim, owner: 'another' }), false);
    assert.deepEqual([await rows(), await bench.nextPage()], [[], '1']);
  });

  test('a batch that Postgres refuses leaves the page where it was', async () => {
    const claim = await claimed('seed=c');
    const bad = { ...users[0], dob: 'never' } as User;
    await assert.rejects(store.writeClaimed({ ...batch, users: [bad] }, claim));
    assert.deepEqual([await bench.nextPage(), await bench.count('ingest_claims')], ['1', 1]);
  });

  test('overlapping batches in any order do not wait for each other in a circle', async () => {
    const orders = Array.from({ length: 6 }, (_, turn) => [
      ...users.slice(turn * 7),
      ...users.slice(0, turn * 7),
    ]);
    const stamped = orders.map((order, turn) => order.map((user) => ({ ...user, phone: `${turn}` })));
    await Promise.all(stamped.map((order) => store.write({ ...batch, users: order })));
    assert.equal((await rows()).length, users.length);
  });
});

function sorted(list: User[]): User[] {
  return list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

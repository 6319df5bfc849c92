import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Client, concurrent } from 'cassandra-driver';
import pg from 'pg';
import { pino } from 'pino';
import { cassandraClient } from '../lib/cassandra.ts';
import { postgresClient } from '../lib/postgres.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import type { Query } from '../lib/wal.ts';
import { grantCassandra, grantPostgres } from '../provision/audit.ts';
import { provisionCassandra } from '../provision/cassandra.ts';
import { provisionPostgres } from '../provision/postgres.ts';
import { startCassandra, type TestCassandra } from '../test/cassandra.ts';
import { startPostgres, type TestPostgres } from '../test/postgres.ts';
import { audit } from './audit.ts';
import type { Sides } from './compare.ts';
import { streamHasPassed } from './passage.ts';
import { connectPostgres } from './postgres.ts';
import type { Column } from './row.ts';
import { Table } from './table.ts';
import { Throttle } from './throttle.ts';
import { Users } from './users.ts';

const ROLE = { username: 'streamer', password: 'test-password' };
const READER = { username: 'userstream_audit', password: "reader's password" };
const USERS = 3000;
const VIEW: Column[] = Object.entries(USER_COLUMNS).map(([name, type]) => [
  name,
  type === 'timestamp' ? 'timestamp' : 'string',
]);
const COLUMNS: Column[] = Object.entries(USER_COLUMNS).filter(([name]) => name !== 'id');
const { signal } = new AbortController();

/** What SELECT * FROM users makes of a line; the SQL itself is Spark's, see integration_project.py. */
function selectAll(line: string) {
  const user = JSON.parse(line);
  const text = (value: unknown) => (value === null ? null : String(value));
  return { id: user.id, values: COLUMNS.map(([name]) => text(user[name])) };
}

describe('an audit', () => {
  let [postgres, cassandra]: [TestPostgres, TestCassandra] = [] as never;
  let [db, ring, reader]: [pg.Client, Client, Client] = [] as never;
  let [query, close]: [Query, () => Promise<void>] = [] as never;
  let ids: string[] = [];

  before(async () => {
    [postgres, cassandra] = await Promise.all([startPostgres(), startCassandra()]);
    const owner = { credentials: postgres.credentials, ca: undefined };
    await provisionPostgres(postgres.section, owner);
    await asSuperuser(`CREATE ROLE ${READER.username} LOGIN PASSWORD 'reader''s password'`);
    await grantPostgres(postgres.section, owner, READER);
    const managed = { ...cassandra.section, managed: true };
    await provisionCassandra(managed, { credentials: ROLE, ca: undefined });
    await grantCassandra(managed, { credentials: ROLE, ca: undefined }, READER);
    db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
    await db.connect();
    ring = cassandraClient(cassandra.section, ROLE);
    reader = cassandraClient(cassandra.section, READER);
    await Promise.all([ring.connect(), reader.connect()]);
    const access = { credentials: READER, ca: undefined };
    ({ query, close } = await connectPostgres(postgres.section, access, pino({ enabled: false })));
    await db.query(
      `INSERT INTO users (id, first_name, address, dob)
       SELECT gen_random_uuid(), 'Ada ' || n, CASE WHEN n % 2 = 0 THEN '' END, '1815-12-10T00:00:00.123Z'
       FROM generate_series(1, $1) AS n`,
      [USERS],
    );
    await db.query(`UPDATE users SET address = repeat('🄰', 250000) WHERE first_name IN ('Ada 1', 'Ada 2')`);
    ids = (await db.query('SELECT id FROM users ORDER BY id')).rows.map(({ id }) => id);
  });

  after(async () => {
    await close?.();
    await db?.end();
    await Promise.all([ring?.shutdown(), reader?.shutdown()]);
    await Promise.all([postgres?.stop(), cassandra?.stop()]);
  });

  /** What the managed server's start script does. */
  async function asSuperuser(statement: string): Promise<void> {
    const client = new pg.Client(postgresClient(postgres.section, postgres.superuser));
    await client.connect();
    await client.query(statement);
    await client.end();
  }

  /** Brings users to Cassandra as the stream does. */
  async function carry(which: string[]): Promise<void> {
    const names = ['id', ...COLUMNS.map(([name]) => name)];
    const { rows } = await db.query(`SELECT ${names.join(', ')} FROM users WHERE id = ANY($1)`, [which]);
    const insert = `INSERT INTO userstream.users (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    const values = rows.map((row) => names.map((name) => row[name]));
    await concurrent.executeConcurrent(ring, insert, values, { concurrencyLevel: 64 });
  }

  /** The id in the middle, and its neighbour. */
  const someId = (offset = 0) => ids[USERS / 2 + offset] as string;

  function run(passed: () => Promise<void> = async () => {}) {
    const sides: Sides = {
      users: new Users(query, VIEW),
      table: new Table(reader, cassandra.section, COLUMNS),
      shape: { view: VIEW, columns: COLUMNS },
      driver: {
        project: async (lines) => ({ view: VIEW, columns: COLUMNS, rows: lines.map(selectAll) }),
      },
    };
    return audit({ sides, passed, throttle: new Throttle(1_000_000, signal) });
  }

  beforeEach(async () => {
    await ring.execute('TRUNCATE userstream.users');
    await carry(ids);
  });

  test('finds equal what is equal: empty and missing texts, moments before 1970, fields of a megabyte', async () => {
    assert.deepEqual(await run(), { users: USERS, rows: USERS, differing: [], more: false, unsettled: 0 });
  });

  test('names exactly the users that differ', async () => {
    const extra = '12345678-1234-4234-8234-123456789abc';
    await ring.execute(`UPDATE userstream.users SET address = 'x' WHERE id = ${someId()}`);
    await ring.execute(`DELETE FROM userstream.users WHERE id = ${someId(1)}`);
    await ring.execute(`INSERT INTO userstream.users (id, first_name) VALUES (${extra}, 'Eve')`);
    const { differing } = await run();
    assert.deepEqual(
      new Map(differing.map(({ id, kind }) => [id, kind])),
      new Map([
        [someId(), 'changed'],
        [someId(1), 'missing'],
        [extra, 'extra'],
      ]),
    );
  });

  test('names a user that is too long to be compared, and compares the others', async () => {
    const long = `UPDATE users SET address = repeat('x', $2) WHERE id = $1`;
    await db.query(long, [someId(), 33 * 1024 * 1024]);
    await ring.execute(`DELETE FROM userstream.users WHERE id = ${someId(1)}`);
    const { differing } = await run().finally(() => db.query(long, [someId(), 1]));
    assert.deepEqual(
      new Map(differing.map(({ id, kind }) => [id, kind])),
      new Map([
        [someId(), 'oversized'],
        [someId(1), 'missing'],
      ]),
    );
  });

  test('tells a value that is missing from an empty one', async () => {
    const { rows } = await db.query(`SELECT id FROM users WHERE address = '' LIMIT 1`);
    await ring.execute(`DELETE address FROM userstream.users WHERE id = ${rows[0].id}`);
    assert.deepEqual((await run()).differing, [{ id: rows[0].id, kind: 'changed' }]);
  });

  test('waits for users that are under way', async () => {
    await db.query(`UPDATE users SET first_name = 'Grace' WHERE id = ANY($1)`, [[someId(), someId(1)]]);
    let passages = 0;
    const outcome = await run(async () => {
      passages += 1;
      if (passages === 2) await carry([someId(), someId(1)]);
    });
    assert.deepEqual(outcome.differing, []);
    assert.equal(passages, 2);
  });

  test('says of a user that changes at each look that it could not tell', async () => {
    const outcome = await run(async () => {
      await db.query('UPDATE users SET phone = gen_random_uuid() WHERE id = $1', [someId()]);
    });
    assert.deepEqual([outcome.differing, outcome.unsettled], [[], 1]);
  });

  test('knows when the stream has passed by the slot and by Spark', async () => {
    const { slot } = postgres.section;
    const stream = { query, slot, driver: { readToEndAgoMs: async () => 0 }, signal };
    await db.query(`UPDATE users SET phone = '1' WHERE id = $1`, [someId()]);
    await assert.rejects(streamHasPassed({ ...stream, timeoutMs: 0 }), /until the relay has published/);
    await db.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot]);
    await streamHasPassed({ ...stream, timeoutMs: 30_000 });
    const idle = { readToEndAgoMs: async () => undefined };
    await assert.rejects(
      streamHasPassed({ ...stream, driver: idle, timeoutMs: 0 }),
      /until Spark has read what stands in Postgres/,
    );
  });

  test('can write nothing', async () => {
    await assert.rejects(query('DELETE FROM users'), /read-only transaction/);
    await query('SET default_transaction_read_only = off');
    for (const table of ['users', 'relay_state']) {
      await assert.rejects(query(`DELETE FROM ${table}`), /permission denied/);
    }
    await assert.rejects(reader.execute('TRUNCATE userstream.users'), /no MODIFY permission/);
  });
});

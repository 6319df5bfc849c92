import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from 'cassandra-driver';
import pg from 'pg';
import { pino } from 'pino';
import { cassandraClient } from '../lib/cassandra.ts';
import { postgresClient } from '../lib/postgres.ts';
import { provisionPostgres } from '../provision/postgres.ts';
import { toAvroUser } from '../test/avro.ts';
import { startPostgres, type TestPostgres } from '../test/postgres.ts';
import { SinkBench } from '../test/sink.ts';
import { until } from '../test/wait.ts';
import { runAudit } from './session.ts';
import { verdictOf } from './verdict.ts';

const ROLE = { username: 'cassandra', password: 'cassandra' };
const STRANGER = '12345678-1234-4234-8234-123456789abc';

/** A column of every type, and a filter. */
const SQL = `SELECT *, upper(first_name) AS shout, year(dob) AS born, date(dob) AS day, dob < '1900-01-01' AS old,
    length(address) / 3D AS third, float(length(address) / 7) AS seventh,
    bigint(length(address)) * 9007199254740993 AS large
  FROM users WHERE coalesce(nationality, '') <> 'XX'`;

/** Users as SQL may stumble over them; every seventh is filtered out. */
const FILL = `INSERT INTO users (id, first_name, last_name, address, dob, nationality)
  SELECT gen_random_uuid(), 'Zoë ' || chr(64 + n) || '𝕬' || chr(10), CASE WHEN n % 3 = 0 THEN '' END,
    repeat('ß', n), timestamptz '0001-01-01T00:00:00.001Z' + n * interval '3 years',
    CASE WHEN n % 7 = 0 THEN 'XX' WHEN n % 2 = 0 THEN 'FR' END
  FROM generate_series(1, 500) AS n`;

describe('an audit of what Spark itself has written', { timeout: 600_000 }, () => {
  let [postgres, bench]: [TestPostgres, SinkBench] = [] as never;
  let [db, ring]: [pg.Client, Client] = [] as never;
  let version = 1n;

  before(async () => {
    [postgres, bench] = await Promise.all([startPostgres(), SinkBench.start({ sql: SQL })]);
    await provisionPostgres(postgres.section, { credentials: postgres.credentials, ca: undefined });
    db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
    await db.connect();
    ring = cassandraClient(bench.cassandra, ROLE);
    await ring.connect();
    await bench.startSpark();
    await db.query(FILL);
    await carry((await db.query('SELECT * FROM users')).rows);
    await until('all to stand in Cassandra', async () => (await count()) === 429, 150_000);
  });

  after(async () => {
    await db?.end();
    await ring?.shutdown();
    await Promise.all([bench?.stop(), postgres?.stop()]);
  });

  const count = async () => (await ring.execute('SELECT id FROM userstream.users')).rowLength;

  /** What the relay does: publishes, and then lets the slot go on. */
  async function carry(rows: Record<string, unknown>[]): Promise<void> {
    version += 1n;
    await bench.publish(rows.map((row) => ({ user: toAvroUser(row), version })));
    await confirm();
  }

  const confirm = () =>
    db.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [postgres.section.slot]);

  async function verdict() {
    const outcome = await runAudit({
      config: {
        pipeline: { namespace: 'test', name: 'audit' },
        postgres: postgres.section,
        cassandra: bench.cassandra,
        audit: { intervalMs: 1, usersPerSecond: 1_000_000, driverUrl: bench.spark.url },
      },
      access: {
        POSTGRES: { credentials: postgres.credentials, ca: undefined },
        CASSANDRA: { credentials: ROLE, ca: undefined },
      },
      log: pino({ enabled: false }),
      signal: AbortSignal.timeout(120_000),
    });
    return { ...outcome, ...verdictOf(outcome) };
  }

  /** Keeps the slot at the end of the WAL, as a relay does that has nothing to publish. */
  async function whileIdle<T>(work: () => Promise<T>): Promise<T> {
    const beat = setInterval(() => void confirm().catch(() => {}), 200);
    return await work().finally(() => clearInterval(beat));
  }

  test('finds it equal, whatever the SQL makes of it', async () => {
    const { status, message, users, rows } = await whileIdle(verdict);
    assert.deepEqual({ status, users, rows }, { status: 'True', users: 500, rows: 429 }, message);
  });

  test('names exactly the users that differ: a field changed, a row removed, a row added', async () => {
    const { rows } = await db.query(`SELECT id FROM users WHERE nationality = 'FR' ORDER BY id LIMIT 2`);
    const [changed, missing] = rows.map(({ id }) => id as string);
    await ring.execute(`UPDATE userstream.users SET seventh = 1 WHERE id = ${changed}`);
    await ring.execute(`DELETE FROM userstream.users WHERE id = ${missing}`);
    await ring.execute(`INSERT INTO userstream.users (id) VALUES (${STRANGER})`);
    const { status, differing } = await whileIdle(verdict);
    assert.equal(status, 'False');
    const kinds = { [changed ?? '']: 'changed', [missing ?? '']: 'missing', [STRANGER]: 'extra' };
    assert.deepEqual(Object.fromEntries(differing.map(({ id, kind }) => [id, kind])), kinds);
  });
});

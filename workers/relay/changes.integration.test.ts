import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { Status } from '../lib/health.ts';
import { postgresClient } from '../lib/postgres.ts';
import { dropSlot, provisionPostgres } from '../provision/postgres.ts';
import { finalState } from '../test/records.ts';
import { RelayBench } from '../test/relay.ts';
import { reaches, standsBy } from '../test/relay-status.ts';
import { usageOf } from '../test/usage.ts';
import { until } from '../test/wait.ts';
import { parseLsn } from './lsn.ts';

describe('the relay', () => {
  let bench: RelayBench = undefined as never;
  before(async () => {
    bench = await RelayBench.start();
  });
  after(() => bench?.stop());

  test('reports a topic that is missing', async () => {
    const relay = await bench.startRelay(bench.postgres.section.port, 'test.relay.absent');
    const status = await reaches(relay, 'to miss its topic', ({ reason }) => reason === 'TopicMissing');
    assert.match(status.message, /test\.relay\.absent/);
    await relay.end('SIGKILL');
  });

  test('publishes the rows that stood before it first ran', async () => {
    await bench.insert(25);
    // A new start, so that these rows lie before the slot.
    await dropSlot(bench.postgres.section, bench.owner);
    await provisionPostgres(bench.postgres.section, bench.owner);
    await bench.db.query('UPDATE relay_state SET epoch = 0');
    await bench.startRelay();
    await bench.equal('after the snapshot');
    const { rows } = await bench.db.query('SELECT start_lsn::text AS lsn FROM relay_state');
    const version = String(parseLsn(rows[0].lsn));
    assert.ok(bench.users.records.every(({ headers }) => headers['version'] === version));
    const rowsOfUsers = bench.users.records.filter(({ headers }) => !headers['epoch-end']);
    assert.ok(rowsOfUsers.every(({ headers }) => headers['committed-at'] === undefined));
    await until('the snapshot to be noted', async () => {
      return (await bench.db.query('SELECT FROM relay_state WHERE snapshot_done')).rowCount === 1;
    });
  });

  test('carries inserts, updates, deletes, changes of the key and a user that comes back', async () => {
    const snapshot = bench.users.records.length;
    await bench.insert(10, 'Grace');
    await bench.db.query(
      `UPDATE users SET first_name = 'Grete', email = repeat('x', 20000) WHERE first_name = 'Grace'`,
    );
    await bench.db.query(`UPDATE users SET last_name = 'Hopper' WHERE first_name = 'Grete'`);
    await bench.db.query(`UPDATE users SET email = NULL, id = gen_random_uuid() WHERE first_name = 'Grete'`);
    const { rows } = await bench.db.query(`DELETE FROM users WHERE first_name = 'Ada' RETURNING id`);
    await bench.db.query(`INSERT INTO users (id, first_name) VALUES ($1, 'Ада 🦀')`, [rows[0].id]);
    await bench.equal('after changes of every kind');
    const streamed = bench.users.records.slice(snapshot);
    const committed = streamed.map(({ headers }) => Number(headers['committed-at']));
    assert.ok(committed.every((time) => Math.abs(Date.now() - time) < 600_000));
  });

  test('carries a transaction of 200,000 users in bounded memory, and a TRUNCATE as their deletes', async () => {
    const before = bench.users.records.length;
    await bench.db.query(
      `INSERT INTO users (id, first_name, picture)
       SELECT gen_random_uuid(), 'Many', repeat(md5(n::text), 8) FROM generate_series(1, 200000) AS n`,
    );
    const arrived = () => bench.users.records.length >= before + 200_000;
    await until('the large transaction', arrived, 120_000);
    await bench.equal('after the large transaction');
    await bench.db.query('TRUNCATE users');
    await until('the TRUNCATE', () => bench.users.records.length >= before + 400_000, 120_000);
    await bench.equal('after the TRUNCATE');
    assert.equal(finalState(bench.users.records).size, 0);
    const { peakBytes } = await usageOf(bench.relay.pid);
    assert.ok(peakBytes < 320 * 2 ** 20, `the relay took ${Math.round(peakBytes / 2 ** 20)} MiB`);
  });

  test('carries a user that a single transaction changes a thousand times, ends and brings back', async () => {
    const id = randomUUID();
    await bench.db.query('BEGIN');
    await bench.db.query('INSERT INTO users (id) VALUES ($1)', [id]);
    await bench.db.query(
      `DO $$ BEGIN FOR n IN 1..1000 LOOP
         UPDATE users SET phone = n::text WHERE id = '${id}';
       END LOOP; END $$`,
    );
    await bench.db.query('DELETE FROM users WHERE id = $1', [id]);
    await bench.db.query(`INSERT INTO users (id, first_name) VALUES ($1, 'back')`, [id]);
    await bench.db.query('COMMIT');
    await bench.equal('after a thousand changes');
    assert.equal(bench.users.records.filter(({ key }) => key === id).length, 1003);
  });

  test('lets the server forget WAL while the table is idle', async () => {
    await bench.db.query('CREATE TABLE noise AS SELECT generate_series(1, 100000)');
    const { rows } = await bench.db.query('SELECT pg_current_wal_lsn()::text AS lsn');
    await until('the slot to move past what is not its business', async () => {
      const slot = await bench.db.query(
        'SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn >= $1::pg_lsn',
        [rows[0].lsn],
      );
      return slot.rowCount === 1;
    });
    const keptUp = ({ figures }: Status) => (figures?.['relayedForMs'] ?? 0) > 3000;
    await reaches(bench.relay, 'to have kept up with it', keptUp);
  });

  test('sets aside a user that is too large for Kafka, in the midst of others in all partitions', async () => {
    const id = randomUUID();
    await bench.db.query('BEGIN');
    await bench.insert(250, 'Before');
    // Random, so that compression doesn't make it fit.
    await bench.db.query(
      `INSERT INTO users (id, address)
       SELECT $1, string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 80000)`,
      [id],
    );
    await bench.insert(250, 'Behind');
    await bench.db.query('COMMIT');
    const letter = await until(
      'a dead letter',
      () => bench.deadLetters.records.find(({ key }) => key === id),
      60_000,
    );
    assert.equal(letter.headers['reason'], 'TooLarge');
    await bench.db.query('DELETE FROM users WHERE id = $1', [id]);
    await bench.equal('without the large user');
    assert.doesNotMatch(bench.relay.output(), /stopped streaming/, 'it took another session');
  });

  test('on SIGTERM acknowledges all that it has sent', async () => {
    await bench.insert(300, 'Last');
    await bench.equal('before the end');
    assert.equal(await bench.relay.end('SIGTERM'), 0);
    const before = bench.users.records.length;
    const relay = await bench.startRelay();
    await reaches(relay, 'to stream', (status) => status.ready && !standsBy(status));
    await bench.insert(1, 'After');
    await bench.equal('after the restart');
    assert.equal(bench.users.records.length - before, 1);
  });

  test('lets a transaction that was open while the slot began win over the snapshot', async () => {
    await bench.relay.end('SIGTERM');
    await dropSlot(bench.postgres.section, bench.owner);
    const { rows } = await bench.db.query('SELECT id FROM users LIMIT 1');
    const { early, middle, late } = await openTransactions('early', 'middle', 'late');
    await early.query('INSERT INTO rejected_users (reason) VALUES (1)');
    const provisioned = provisionPostgres(bench.postgres.section, bench.owner);
    await waitsFor(early);
    await middle.query('INSERT INTO rejected_users (reason) VALUES (2)');
    await early.query('COMMIT');
    await waitsFor(middle);
    await late.query(`UPDATE users SET phone = 'late' WHERE id = $1`, [rows[0].id]);
    await middle.query('COMMIT');
    await provisioned;
    await bench.startRelay();
    await bench.equal('after the snapshot, without what is not committed');
    await late.query('COMMIT');
    await bench.equal('after the commit');
    const versions = bench.users.records
      .filter(({ key }) => key === rows[0].id)
      .map(({ headers }) => headers['version']);
    const [snapshot, change] = versions.slice(-2).map((version) => BigInt(version ?? 0));
    assert.ok((change ?? 0n) > (snapshot ?? 0n), `${change} does not win over ${snapshot}`);
    await Promise.all([early.end(), middle.end(), late.end()]);
  });

  async function openTransactions<Name extends string>(...names: Name[]): Promise<Record<Name, pg.Client>> {
    const clients = names.map(async (name) => {
      const client = new pg.Client(postgresClient(bench.postgres.section, bench.postgres.credentials));
      await client.connect();
      await client.query('BEGIN');
      return [name, client] as const;
    });
    return Object.fromEntries(await Promise.all(clients)) as Record<Name, pg.Client>;
  }

  /** Waits until the making of the slot waits for the transaction of `client`. */
  async function waitsFor(client: pg.Client) {
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    await until(`the slot to wait for backend ${rows[0].pid}`, async () => {
      const query = 'SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))';
      return ((await bench.db.query(query, [rows[0].pid])).rowCount ?? 0) > 0;
    });
  }
});

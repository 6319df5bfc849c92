import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { postgresClient } from '../lib/postgres.ts';
import { provisionPostgres } from '../provision/postgres.ts';
import { epochEnds } from '../test/records.ts';
import { RelayBench } from '../test/relay.ts';
import { reaches, standsBy } from '../test/relay-status.ts';
import { until } from '../test/wait.ts';

describe('the relay, when its publication', () => {
  let bench: RelayBench = undefined as never;
  let writer: pg.Client = undefined as never;
  before(async () => {
    bench = await RelayBench.start();
    writer = new pg.Client(postgresClient(bench.postgres.section, bench.postgres.superuser));
    await writer.connect();
    await bench.startRelay();
    await bench.insert(20, 'Before');
    await bench.equal('before anything is altered');
  });
  after(async () => {
    await writer?.end();
    await bench?.stop();
  });

  const streams = () =>
    reaches(bench.relay, 'to stream', (status) => status.ready && !standsBy(status), 30_000);

  /** Waits until the relay tells of it, lets provision mend it, and compares what stands in the next epoch. */
  async function mended(what: string) {
    const before = epochEnds(bench.users.records).length;
    const told = await reaches(bench.relay, 'to tell', ({ reason }) => reason === 'PublicationChanged');
    assert.match(told.message, /publication userstream, or the trigger.*run the provision job again/);
    await provisionPostgres(bench.postgres.section, bench.owner);
    await until('a new epoch', () => epochEnds(bench.users.records).length === before + 3);
    await bench.equal(what);
    await bench.insert(3, 'Streamed again');
    await bench.equal(`and then was mended: ${what}`);
    await streams();
  }

  const alterations: [what: string, statements: string][] = [
    [
      'no longer has the table',
      `ALTER PUBLICATION userstream DROP TABLE users; UPDATE users SET phone = 'unseen'`,
    ],
    [
      'leaves out deletes',
      `ALTER PUBLICATION userstream SET (publish = 'insert, update');
       DELETE FROM users WHERE id IN (SELECT id FROM users LIMIT 5)`,
    ],
    [
      'leaves out rows',
      `ALTER PUBLICATION userstream SET TABLE users WHERE (phone = 'seen');
       INSERT INTO users (id, phone) VALUES (gen_random_uuid(), 'unseen')`,
    ],
    [
      'was altered for a moment',
      `BEGIN; ALTER PUBLICATION userstream DROP TABLE users; COMMIT;
       UPDATE users SET phone = 'unseen for a moment';
       ALTER PUBLICATION userstream ADD TABLE users`,
    ],
    ['is gone', `DROP PUBLICATION userstream; UPDATE users SET phone = 'unseen as well'`],
    [
      'is not told of a TRUNCATE',
      `ALTER TABLE users DISABLE TRIGGER users_before_truncate; TRUNCATE users;
       INSERT INTO users (id, phone) VALUES (gen_random_uuid(), 'after')`,
    ],
    [
      'is not told of a TRUNCATE by the function of its trigger',
      `CREATE OR REPLACE FUNCTION users_before_truncate() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
       TRUNCATE users; INSERT INTO users (id, phone) VALUES (gen_random_uuid(), 'after another')`,
    ],
  ];
  for (const [what, statements] of alterations) {
    test(`${what}, says so, and sends all users again once it is mended`, async () => {
      await writer.query(statements);
      await mended(`what it missed when it ${what}`);
    });
  }

  test('was mended, carries a TRUNCATE', async () => {
    await writer.query('TRUNCATE users');
    await bench.insert(20, 'After');
    await bench.equal('a TRUNCATE');
  });

  test('was altered and changed back while no relay ran, notices it', async () => {
    await bench.relay.end('SIGTERM');
    await writer.query(`ALTER PUBLICATION userstream SET (publish = 'insert')`);
    await writer.query(`UPDATE users SET phone = 'unseen by anybody'`);
    await writer.query(`ALTER PUBLICATION userstream SET (publish = 'insert, update, delete')`);
    await bench.startRelay();
    await mended('what was changed meanwhile');
  });

  test('is mended while a transaction that wrote before is open, misses nothing of that', async () => {
    await bench.db.query('ALTER PUBLICATION userstream DROP TABLE users');
    await writer.query('BEGIN');
    await writer.query(`INSERT INTO users (id, phone) VALUES (gen_random_uuid(), 'still open')`);
    const done = mended('what was open');
    await until('provision to wait for it', async () => {
      const { rowCount } = await bench.db.query(
        `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_create_logical%' AND wait_event = 'transactionid'`,
      );
      return rowCount === 1;
    });
    await writer.query('COMMIT');
    await done;
  });
});

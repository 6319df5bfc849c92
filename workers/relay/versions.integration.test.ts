import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { postgresClient } from '../lib/postgres.ts';
import { RelayBench } from '../test/relay.ts';
import { until } from '../test/wait.ts';

/** A thousand ids, of which `ID` is the first. */
const IDS = `seq -f 00000000-0000-4000-8000-%012g 1 1000`;
const ID = '00000000-0000-4000-8000-000000000001';
const OTHER = '10000000-0000-4000-8000-000000000000';

describe('a user that comes back while another transaction deletes it', () => {
  let bench: RelayBench = undefined as never;
  let [deleter, writer]: [pg.Client, pg.Client] = [undefined as never, undefined as never];
  before(async () => {
    bench = await RelayBench.start();
    await bench.startRelay();
    await bench.insert(1, 'Streamed');
    await bench.equal('once the snapshot is done');
    await bench.insert(1, 'Streamed');
    await bench.equal('from the stream');
    deleter = await connect();
    writer = await connect();
  });
  after(async () => {
    await deleter?.end();
    await writer?.end();
    await bench?.stop();
  });

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(postgresClient(bench.postgres.section, bench.postgres.superuser));
    await client.connect();
    return client;
  }

  async function waits({ pid }: { pid: number }) {
    const query = 'SELECT FROM unnest(pg_blocking_pids($1)) AS blocker';
    await until('the writer to wait', async () => (await bench.db.query(query, [pid])).rowCount === 1);
  }

  const insert = `INSERT INTO users (id, phone) VALUES ('${ID}', 'anew')`;
  const writers: [what: string, statements: string][] = [
    ['an INSERT', insert],
    ['an INSERT whose transaction goes on', `BEGIN; ${insert}; UPDATE users SET phone = 'again'; COMMIT`],
    ['a change of another’s key', `UPDATE users SET id = '${ID}' WHERE id = '${OTHER}'`],
    // The pages behind the first row stand in the WAL before its key is checked.
    ['a COPY of many pages', `COPY users (id) FROM PROGRAM '${IDS}'`],
    // Its batches count rows alone, whatever they weigh.
    [
      'a binary COPY of two megabytes',
      `COPY (SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, repeat(md5(n::text), 64)
             FROM generate_series(1, 1000) AS n) TO PROGRAM 'cat >users.bin' (FORMAT binary);
       COPY users (id, picture) FROM PROGRAM 'cat users.bin' (FORMAT binary)`,
    ],
  ];
  for (const [what, statements] of writers) {
    test(`by ${what} stands, and its record is the newest`, async () => {
      await bench.db.query('DELETE FROM users');
      await bench.db.query('INSERT INTO users (id) VALUES ($1), ($2)', [ID, OTHER]);
      await deleter.query('BEGIN');
      await deleter.query(`UPDATE users SET phone = 'locked' WHERE id = $1`, [ID]);
      const { rows } = await writer.query('SELECT pg_backend_pid() AS pid');
      const written = writer.query(statements);
      await waits(rows[0]);
      await deleter.query('DELETE FROM users WHERE id = $1', [ID]);
      await deleter.query('COMMIT');
      await written;
      const { rowCount } = await bench.db.query('SELECT FROM users WHERE id = $1', [ID]);
      assert.equal(rowCount, 1);
      await bench.equal('after the race');
    });
  }
});

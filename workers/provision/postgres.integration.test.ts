import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import pg from 'pg';
import { StageError } from '../lib/health.ts';
import { postgresClient } from '../lib/postgres.ts';
import { startPostgres, type TestPostgres } from '../test/postgres.ts';
import { dropSlot, dropTables, provisionPostgres } from './postgres.ts';

describe('provision, in a database that somebody uses already,', () => {
  let postgres: TestPostgres = undefined as never;
  let db: pg.Client = undefined as never;
  const owner = () => ({ credentials: postgres.credentials, ca: undefined });
  const other = () => ({ ...postgres.section, slot: 'other', publication: 'other' });
  const tearDown = async (section: TestPostgres['section']) => {
    await dropSlot(section, owner());
    await dropTables(section, owner());
  };
  const tables = async () => {
    const { rows } = await db.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname`,
    );
    return rows.map(({ relname }) => relname);
  };

  before(async () => {
    postgres = await startPostgres();
    db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
    await db.connect();
  });
  afterEach(async () => {
    await tearDown(postgres.section);
    await tearDown(other());
    await db.query('DROP TABLE IF EXISTS users, relay_state');
  });
  after(async () => {
    await db?.end();
    await postgres?.stop();
  });

  const isRefused = (reason: string, message: RegExp) => (error: unknown) =>
    error instanceof StageError && error.reason === reason && message.test(error.message);

  test('refuses a table users that is no pipeline’s, and leaves it and all else as it is', async () => {
    await db.query('CREATE TABLE users (id bigint PRIMARY KEY, email text, password text NOT NULL)');
    const refusal = isRefused(
      'TableUnexpected',
      /column id is of type bigint, not uuid.*it lacks column phone/,
    );
    await assert.rejects(provisionPostgres(postgres.section, owner()), refusal);
    const { rows } = await db.query(
      `SELECT array_agg(relname::text ORDER BY relname) AS tables, bool_or(relreplident = 'f') AS altered
       FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
    );
    assert.deepEqual(rows, [{ tables: ['users'], altered: false }]);
    await tearDown(postgres.section);
    assert.deepEqual(await tables(), ['users'], 'nor is it dropped with the pipeline that was refused');
  });

  test('refuses a second pipeline, also while the first one’s slot is away, until its note is gone', async () => {
    await provisionPostgres(postgres.section, owner());
    const refused = () =>
      assert.rejects(provisionPostgres(other(), owner()), isRefused('DatabaseTaken', /slot userstream/));
    await refused();
    await dropSlot(postgres.section, owner());
    await refused();
    await db.query('DELETE FROM relay_state');
    await provisionPostgres(other(), owner());
  });

  test('drops nothing of the first pipeline with the second', async () => {
    await provisionPostgres(postgres.section, owner());
    await assert.rejects(provisionPostgres(other(), owner()));
    const before = await tables();
    await tearDown(other());
    assert.deepEqual(await tables(), before);
    await tearDown(postgres.section);
    assert.deepEqual(await tables(), []);
    await tearDown(postgres.section);
  });

  test('leaves a slot of its name to the plugin that it belongs to', async () => {
    const { slot } = postgres.section;
    await db.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot]);
    await assert.rejects(provisionPostgres(postgres.section, owner()), isRefused('SlotTaken', /another/));
    await tearDown(postgres.section);
    const { rowCount } = await db.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [slot]);
    await db.query('SELECT pg_drop_replication_slot($1)', [slot]);
    assert.equal(rowCount, 1);
  });

  describe('tells of a TRUNCATE', () => {
    const root = async () => {
      const client = new pg.Client(postgresClient(postgres.section, postgres.superuser));
      await client.connect();
      return client;
    };
    /** How many deletes the slot hands out. */
    const deletes = async () => {
      const { slot, publication } = postgres.section;
      const { rows } = await db.query(
        `SELECT count(*)::int AS deletes FROM pg_logical_slot_get_binary_changes(
           $1, NULL, NULL, 'proto_version', '1', 'publication_names', $2) WHERE get_byte(data, 0) = ascii('D')`,
        [slot, publication],
      );
      return rows[0].deletes;
    };
    const fill = () => db.query('INSERT INTO users (id) SELECT gen_random_uuid() FROM generate_series(1, 3)');

    test('row by row, also where triggers are silenced, and of its own table under any search path', async () => {
      await provisionPostgres(postgres.section, owner());
      await fill();
      const client = await root();
      await client.query('CREATE SCHEMA backup');
      await client.query('CREATE TABLE backup.users AS SELECT * FROM users');
      await client.query('SET session_replication_role = replica');
      await client.query('SET search_path = backup');
      await client.query('TRUNCATE public.users');
      const kept = await client.query('SELECT FROM backup.users');
      await client.query('DROP SCHEMA backup CASCADE');
      await client.end();
      assert.equal(await deletes(), 3);
      assert.equal(kept.rowCount, 3);
    });

    test('by a trigger that is mended where it is another', async () => {
      await provisionPostgres(postgres.section, owner());
      await db.query('ALTER TABLE users ENABLE TRIGGER users_before_truncate');
      await provisionPostgres(postgres.section, owner());
      const { rows } = await db.query(
        `SELECT tgenabled AS enabled FROM pg_trigger WHERE tgname = 'users_before_truncate'`,
      );
      assert.deepEqual(rows, [{ enabled: 'A' }]);
    });

    test('that would take rows which its transaction can’t see by refusing it', async () => {
      await provisionPostgres(postgres.section, owner());
      await fill();
      const client = await root();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await assert.rejects(
        client.query('TRUNCATE users'),
        /users in .* REPEATABLE READ: begin it READ COMMITTED/,
      );
      await client.end();
    });
  });
});

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

  before(async () => {
    postgres = await startPostgres();
    db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
    await db.connect();
  });
  afterEach(async () => {
    await dropSlot(postgres.section, owner());
    await dropTables(postgres.section, owner());
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
  });

  test('refuses a second pipeline, until the first one’s slot is gone', async () => {
    await provisionPostgres(postgres.section, owner());
    await assert.rejects(provisionPostgres(other(), owner()), isRefused('DatabaseTaken', /slot userstream/));
    await dropSlot(postgres.section, owner());
    await provisionPostgres(other(), owner());
    await dropSlot(other(), owner());
    await dropTables(other(), owner());
  });
});

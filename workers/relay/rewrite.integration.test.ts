import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import pg from 'pg';
import { postgresClient } from '../lib/postgres.ts';
import { dropSlot, dropTables, provisionPostgres } from '../provision/postgres.ts';
import { startPostgres, type TestPostgres } from '../test/postgres.ts';
import { noteColumns } from './rewrite.ts';
import { readSlot } from './slot.ts';

describe('the columns of users', () => {
  let postgres: TestPostgres = undefined as never;
  let db: pg.Client = undefined as never;
  const owner = () => ({ credentials: postgres.credentials, ca: undefined });

  before(async () => {
    postgres = await startPostgres();
    db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
    await db.connect();
  });
  beforeEach(async () => {
    await dropSlot(postgres.section, owner());
    await dropTables(postgres.section, owner());
    await provisionPostgres(postgres.section, owner());
    await db.query(`INSERT INTO users (id, phone) VALUES (gen_random_uuid(), '1')`);
    await noteColumns(db, postgres.section.slot);
  });
  after(async () => {
    await db?.end();
    await postgres?.stop();
  });

  const changed = [
    `ALTER TABLE users ALTER COLUMN phone TYPE text USING phone || '!'`,
    'ALTER TABLE users ALTER COLUMN phone TYPE varchar',
    'ALTER TABLE users DROP COLUMN phone',
    'ALTER TABLE users DROP COLUMN phone; ALTER TABLE users ADD COLUMN phone text',
    `ALTER TABLE users ALTER COLUMN phone TYPE text USING phone || '!'; TRUNCATE users`,
  ];
  for (const statements of changed) {
    test(`have other values after ${statements}`, async () => {
      await db.query(statements);
      await assert.rejects(readSlot(db, postgres.section), { reason: 'TableRewritten' });
    });
  }

  const kept = [
    'TRUNCATE users',
    'VACUUM FULL users',
    'ANALYZE users',
    'GRANT SELECT (phone) ON users TO PUBLIC',
    `ALTER TABLE users ALTER COLUMN phone SET DEFAULT 'none'`,
    'ALTER TABLE users ADD COLUMN another text',
    `ALTER TABLE users ADD COLUMN another text DEFAULT md5(random()::text)`,
    `ALTER TABLE users ADD COLUMN another text; ALTER TABLE users DROP COLUMN another`,
  ];
  for (const statements of kept) {
    test(`keep their values with ${statements}`, async () => {
      for (const statement of statements.split('; ')) await db.query(statement);
      await readSlot(db, postgres.section);
    });
  }

  test('are noted anew by each session, so that what changes no value leaves no doubt behind', async () => {
    await db.query(`ALTER TABLE users ALTER COLUMN phone SET DEFAULT 'none'`);
    await noteColumns(db, postgres.section.slot);
    await db.query('TRUNCATE users');
    await readSlot(db, postgres.section);
  });
});

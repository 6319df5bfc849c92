import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startPostgres, type TestPostgres } from '../test/postgres.ts';
import { COLUMN_TYPES, type ColumnType } from './columns.ts';
import { postgresClient } from './postgres.ts';
import { binaryArray, type ColumnValue } from './postgres-arrays.ts';

const CASES: Record<ColumnType, ColumnValue[]> = {
  uuid: ['0b5e2bd4-5a2c-4f0e-9d0e-a1b2c3d4e5f6', null, 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  text: ['', null, 'plain', 'Ünïcode, {"quoted"}, \\N', '𝔘\u{10FFFF}', 'x'.repeat(100_000)],
  timestamp: [
    null,
    '2000-01-01T00:00:00.000Z',
    '1969-12-31T23:59:59.999Z',
    '0001-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ],
  bigint: ['9223372036854775807', '-9223372036854775808', '0', null],
  double: [0, -1.5, 1e308, 5e-324, null],
  boolean: [true, false, null],
};

let postgres: TestPostgres;
let client: pg.Client;
before(async () => {
  postgres = await startPostgres();
  client = new pg.Client(postgresClient(postgres.section, postgres.credentials));
  await client.connect();
});
after(async () => {
  await client.end();
  await postgres.stop();
});

for (const [type, values] of Object.entries(CASES) as [ColumnType, ColumnValue[]][]) {
  test(`Postgres reads an array of ${type} as the values that it was made of`, async () => {
    const name = COLUMN_TYPES[type].postgres;
    const { rows } = await client.query(
      `SELECT unnest($1::${name}[]) AS binary, unnest($2::${name}[]) AS text`,
      [binaryArray(type, values), values],
    );
    assert.equal(rows.length, values.length);
    for (const { binary, text } of rows) assert.deepEqual(binary, text);
  });

  test(`an array of ${type} may be empty`, async () => {
    const { rows } = await client.query(`SELECT $1::${COLUMN_TYPES[type].postgres}[] AS array`, [
      binaryArray(type, []),
    ]);
    assert.deepEqual(rows[0].array, []);
  });
}

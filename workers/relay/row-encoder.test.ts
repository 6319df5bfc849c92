import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, EncodeError, encode, toAvroUser } from '../lib/avro.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { insert, relation } from '../test/pgoutput.ts';
import { readRelation } from './relation.ts';
import { RowEncoder } from './row-encoder.ts';
import { Tuple } from './tuple.ts';

const TYPE_IDS = { uuid: 2950, text: 25, timestamp: 1184 } as const;
const columns = Object.entries(USER_COLUMNS);
const table = relation('users', Object.fromEntries(columns.map(([name, type]) => [name, TYPE_IDS[type]])));
const encoder = new RowEncoder(readRelation(table), USER_COLUMNS);
const nobody = Object.fromEntries(columns.map(([name]) => [name, null]));

/** Encodes a row whose other columns are null, as it would stand in the WAL. */
function encoded(row: Record<string, string>): Buffer {
  const tuple = new Tuple();
  tuple.read(insert(Object.values({ ...nobody, id: 'an-id', ...row })), 6);
  return encoder.encode(tuple, 7);
}

describe('a row of the WAL', () => {
  test('becomes byte for byte what avsc makes of it', () => {
    const row = {
      first_name: 'Ада 🦀',
      last_name: '',
      picture: 'x'.repeat(300_000),
      dob: '1815-12-10 00:00:00+00',
    };
    const expected = toAvroUser({ ...nobody, id: 'an-id', ...row, dob: new Date('1815-12-10T00:00:00Z') });
    assert.deepEqual(encoded(row), encode(7, expected));
  });

  const timestamps: [text: string, iso: string][] = [
    ['1969-12-31 23:59:59.999+00', '1969-12-31T23:59:59.999Z'],
    ['1970-01-01 00:00:00+00', '1970-01-01T00:00:00.000Z'],
    ['2024-02-29 12:34:56.7+00', '2024-02-29T12:34:56.700Z'],
    ['2024-02-29 12:34:56.78+00', '2024-02-29T12:34:56.780Z'],
    ['2024-02-29 12:34:56.789999+00', '2024-02-29T12:34:56.789Z'],
    ['0100-01-01 00:00:00+00', '0100-01-01T00:00:00.000Z'],
    ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00.000Z'],
    ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
    ['9999-12-31 23:59:59.999+00', '9999-12-31T23:59:59.999Z'],
    ['12345-06-07 08:09:10.111+00', '+012345-06-07T08:09:10.111Z'],
  ];
  for (const [text, iso] of timestamps) {
    test(`keeps the moment ${text}`, () => {
      assert.equal(decode(encoded({ dob: text })).user.dob, Date.parse(iso));
    });
  }

  for (const text of ['infinity', '-infinity']) {
    test(`can't hold the moment ${text}`, () => {
      assert.throws(
        () => encoded({ dob: text }),
        (error) => error instanceof EncodeError && /^dob: -?infinity/.test(error.message),
      );
    });
  }
});

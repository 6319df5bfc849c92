import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Columns, userColumns } from '../lib/columns.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { decode, encode, toAvroUser } from '../test/avro.ts';
import { insert, relation } from '../test/pgoutput.ts';
import { placeOf, readRelation } from './relation.ts';
import { TextRow } from './row.ts';
import { RowEncoder } from './row-encoder.ts';
import { Tuple } from './tuple.ts';

const TYPE_IDS = { uuid: 2950, text: 25, timestamp: 1184, bigint: 20, double: 701, boolean: 16 } as const;

/** Encodes a row whose other columns are null, as it would stand in the WAL. */
function encoded(row: Record<string, string>, columns: Columns = USER_COLUMNS): Buffer {
  const types = Object.entries(columns).map(([name, type]) => [name, TYPE_IDS[type]]);
  const table = readRelation(relation('users', Object.fromEntries(types)));
  const encoder = new RowEncoder(columns, (name, type) => placeOf(table, name, type));
  const texts = Object.keys(columns).map((name) => (name === 'id' ? 'an-id' : (row[name] ?? null)));
  const tuple = new Tuple();
  tuple.read(insert(texts), 6);
  const value = encoder.encode(tuple, 7);
  assert.deepEqual(encoder.encode(new TextRow(texts), 7), value, 'a row of a query is encoded otherwise');
  return value;
}

describe('a row of the WAL', () => {
  test('becomes byte for byte what avsc makes of it', () => {
    const row = {
      first_name: 'Ада 🦀',
      last_name: '',
      picture: 'x'.repeat(300_000),
      dob: '1815-12-10 00:00:00+00',
    };
    const expected = toAvroUser({ id: 'an-id', ...row, dob: new Date('1815-12-10T00:00:00Z') });
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
    ['0099-12-31 23:59:59.5+00', '0099-12-31T23:59:59.500Z'],
    ['0001-02-29 00:00:00+00 BC', '0000-02-29T00:00:00.000Z'],
    ['4714-11-24 00:00:00+00 BC', '-004713-11-24T00:00:00.000Z'],
    ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
    ['9999-12-31 23:59:59.999+00', '9999-12-31T23:59:59.999Z'],
    ['275760-09-13 00:00:00+00', '+275760-09-13T00:00:00.000Z'],
    ['12345-06-07 08:09:10.111+00', '+012345-06-07T08:09:10.111Z'],
  ];
  for (const [text, iso] of timestamps) {
    test(`keeps the moment ${text}`, () => {
      assert.equal(decode(encoded({ dob: text })).user.dob, Date.parse(iso));
    });
  }

  const values: [type: Columns[string], text: string, value: unknown][] = [
    ['bigint', '0', 0],
    ['bigint', '-1', -1],
    ['bigint', '999999999999999', 999_999_999_999_999],
    ['bigint', '-999999999999999', -999_999_999_999_999],
    ['double', '-69.8246', -69.8246],
    ['double', '1e-300', 1e-300],
    ['double', '-Infinity', Number.NEGATIVE_INFINITY],
    ['boolean', 't', true],
    ['boolean', 'f', false],
    ['uuid', '5b2fd4d6-3a09-4d1c-9b9c-3f3a3a5a0001', '5b2fd4d6-3a09-4d1c-9b9c-3f3a3a5a0001'],
  ];
  for (const [type, text, value] of values) {
    test(`keeps the ${type} ${text}`, () => {
      const columns = userColumns({ extra: type });
      assert.equal(decode(encoded({ extra: text }, columns), columns).user['extra'], value);
    });
  }

  const wide: [text: string, zigzag: bigint][] = [
    ['9223372036854775807', 2n ** 64n - 2n],
    ['-9223372036854775808', 2n ** 64n - 1n],
    ['9007199254740993', 2n * 9_007_199_254_740_993n],
  ];
  for (const [text, zigzag] of wide) {
    test(`keeps the bigint ${text}, which no number holds`, () => {
      const bytes = encoded({ extra: text }, { id: 'text', extra: 'bigint' });
      // Behind the prefix, the id with its length, and which of null and itself the value is.
      const varint = [...bytes.subarray(5 + 1 + 'an-id'.length + 1)];
      const read = varint.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
      assert.equal(read, zigzag);
    });
  }

  for (const text of ['infinity', '-infinity', '275760-09-13 00:00:00.001+00', '294276-12-31 23:59:59+00']) {
    test(`has null for the moment ${text}, and all else`, () => {
      const { user } = decode(encoded({ dob: text, phone: '1' }));
      assert.deepEqual([user.dob, user.phone], [null, '1']);
    });
  }
});

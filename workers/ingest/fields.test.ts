import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { ColumnType } from '../lib/columns.ts';
import { readFields } from './fields.ts';

const UUID = '5B2FD4D6-3A09-4D1C-9B9C-3F3A3A5A0001';

function read(type: ColumnType, value: unknown) {
  const { values, faults } = readFields({ a: { b: value } }, [{ name: 'extra', type, path: 'a.b' }]);
  return faults[0] ?? values['extra'];
}

describe('a field', () => {
  const good: [type: ColumnType, sent: unknown, value: unknown][] = [
    ['text', 'Ада 🦀', 'Ада 🦀'],
    ['text', '', ''],
    ['text', 7, '7'],
    ['uuid', UUID, UUID.toLowerCase()],
    ['timestamp', '1815-12-10T01:00:00+01:00', '1815-12-10T00:00:00.000Z'],
    ['bigint', 30, '30'],
    ['bigint', '-9223372036854775808', '-9223372036854775808'],
    ['bigint', 9007199254740993n, '9007199254740993'],
    ['text', 9007199254740993n, '9007199254740993'],
    ['double', 9007199254740993n, 9007199254740992],
    ['double', '-69.8246', -69.8246],
    ['double', 0.1, 0.1],
    ['boolean', false, false],
    ['boolean', null, null],
    ['text', undefined, null],
  ];
  for (const [type, sent, value] of good) {
    test(`of type ${type} takes ${inspect(sent)}`, () => assert.equal(read(type, sent), value));
  }

  const bad: [type: ColumnType, sent: unknown, fault: string][] = [
    ['text', { first: 'Ada' }, 'a.b: is not text'],
    ['text', 'a\0b', 'a.b: contains U+0000, which Postgres text cannot hold'],
    ['uuid', 'ada', 'a.b: is not a UUID'],
    ['timestamp', '10 Dec 1815', 'a.b: is not an ISO date and time'],
    ['bigint', 1.5, 'a.b: is not a whole number of 64 bits'],
    ['bigint', 2 ** 53, 'a.b: is not a whole number of 64 bits'],
    ['bigint', 9223372036854775808n, 'a.b: is not a whole number of 64 bits'],
    ['uuid', 9007199254740993n, 'a.b: is not a UUID'],
    ['bigint', '9223372036854775808', 'a.b: is not a whole number of 64 bits'],
    ['double', 'north', 'a.b: is not a number'],
    ['double', '', 'a.b: is not a number'],
    ['boolean', 'true', 'a.b: is not true or false'],
  ];
  for (const [type, sent, fault] of bad) {
    test(`of type ${type} refuses ${inspect(sent)}`, () => assert.equal(read(type, sent), fault));
  }

  test('whose path leads nowhere, or into what every object has, is null', () => {
    const fields = ['a.b.c', 'x.y', 'constructor.name', '__proto__'].map((path, index) => ({
      name: `f${index}`,
      type: 'text' as const,
      path,
    }));
    assert.deepEqual(readFields({ a: { b: 'text' } }, fields), {
      values: { f0: null, f1: null, f2: null, f3: null },
      faults: [],
    });
  });
});

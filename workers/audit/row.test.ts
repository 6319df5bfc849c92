import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { types } from 'cassandra-driver';
import { cassandraText, fingerprint, sparkText } from './row.ts';

const cases: { name: string; type: string; spark: string | null; cassandra: unknown }[] = [
  { name: 'no value', type: 'text', spark: null, cassandra: null },
  { name: 'an empty text, which is not no value', type: 'text', spark: '', cassandra: '' },
  { name: 'a text beyond the basic plane', type: 'text', spark: '𝕬', cassandra: '𝕬' },
  { name: 'a moment before 1970', type: 'timestamp', spark: '-1', cassandra: new Date(-1) },
  { name: 'a date', type: 'date', spark: '2147483648', cassandra: new types.LocalDate(1970, 1, 1) },
  {
    name: 'a date of long ago',
    type: 'date',
    spark: '2147427358',
    cassandra: new types.LocalDate(1815, 11, 20),
  },
  { name: 'an int', type: 'int', spark: '-7', cassandra: -7 },
  {
    name: 'a bigint past 2^53',
    type: 'bigint',
    spark: '9007199254740993',
    cassandra: types.Long.fromString('9007199254740993'),
  },
  { name: 'a double that Java writes otherwise', type: 'double', spark: '1.0E10', cassandra: 1e10 },
  { name: 'a float', type: 'float', spark: '0.1', cassandra: Math.fround(0.1) },
  { name: 'minus nothing', type: 'double', spark: '-0.0', cassandra: -0 },
  { name: 'minus nothing, which JSON tells without the sign', type: 'double', spark: '0.0', cassandra: -0 },
  { name: 'not a number', type: 'double', spark: 'NaN', cassandra: Number.NaN },
  { name: 'a truth', type: 'boolean', spark: 'true', cassandra: true },
];

describe('a value has one text, wherever it comes from', () => {
  for (const { name, type, spark, cassandra } of cases) {
    test(name, () => assert.equal(sparkText(type, spark), cassandraText(cassandra)));
  }
});

describe('two rows are told apart', () => {
  const row = { id: 'a', values: ['x', null] };
  const others = [
    { name: 'by a value', other: { id: 'a', values: ['y', null] } },
    { name: 'by what is empty and not null', other: { id: 'a', values: ['x', ''] } },
    { name: 'by where a value stands', other: { id: 'a', values: [null, 'x'] } },
  ];
  for (const { name, other } of others) {
    test(name, () => assert.ok(!fingerprint(row).equals(fingerprint(other))));
  }
});

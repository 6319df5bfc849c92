import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KafkaRecord } from '../lib/kafka.ts';
import { epochOf, lsnOf } from './lsn.ts';
import { Versions } from './versions.ts';

function setUp() {
  const given: [key: string, lsn: bigint][] = [];
  const add = ({ key, headers }: KafkaRecord) => {
    const version = BigInt(headers['version'] ?? 0);
    assert.equal(epochOf(version), 2);
    given.push([key, lsnOf(version)]);
  };
  return { versions: new Versions({ epoch: 2, add }), given };
}

const record = (key: string | number, bytes = 0): KafkaRecord => ({
  topic: 'users',
  key: String(key),
  value: Buffer.alloc(bytes),
  headers: {},
});

describe('the version', () => {
  test('of a row that stood before is its LSN', () => {
    const { versions, given } = setUp();
    versions.changed(record('a'), 16n);
    versions.changed(record('a'), 24n);
    assert.deepEqual(given, [
      ['a', 16n],
      ['a', 24n],
    ]);
  });

  test('of a new row lies below that of its next change, and below the commit', () => {
    const { versions, given } = setUp();
    versions.began(record('a'), 16n);
    versions.began(record('b'), 24n);
    versions.changed(record('a'), 48n);
    versions.began(record('c'), 56n);
    versions.endBefore(80n);
    assert.deepEqual(given, [
      ['a', 47n],
      ['b', 47n],
      ['a', 48n],
      ['c', 79n],
    ]);
  });

  test('of a row that COPY may not have checked yet waits for a thousand more', () => {
    const { versions, given } = setUp();
    // Four rows share an LSN, as those of a page do.
    const lsnAt = (row: number) => BigInt(8 * (1 + (row >> 2)));
    for (let row = 0; row < 5000; row += 1) versions.began(record(row), lsnAt(row));
    versions.endBefore(lsnAt(5000));
    const keys = given.map(([key]) => Number(key));
    assert.deepEqual(keys, [...Array(5000).keys()]);
    for (const [key, lsn] of given) {
      const row = Number(key);
      const most = lsnAt(Math.min(row + 2002, 5000));
      assert.ok(lsn < most, `row ${row} has ${lsn}`);
      assert.ok(lsn >= lsnAt(Math.min(row + 1000, 5000)) - 1n, `row ${row} has ${lsn}`);
    }
  });

  test('of rows of one LSN is above it, however many they are', () => {
    const { versions, given } = setUp();
    for (let row = 0; row < 3000; row += 1) versions.began(record(row), 8n);
    versions.began(record('next'), 16n);
    versions.endBefore(24n);
    assert.ok(given.every(([, lsn]) => lsn > 8n));
    assert.equal(given.length, 3001);
  });

  test('of large rows is known after a few', () => {
    const { versions, given } = setUp();
    for (let row = 0; row < 10; row += 1) versions.began(record(row, 8 * 2 ** 20), BigInt(8 * (row + 1)));
    assert.equal(given.length, 8);
  });
});

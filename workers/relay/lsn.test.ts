import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatLsn, parseLsn, versionOf } from './lsn.ts';

describe('an LSN', () => {
  test('is read and written as Postgres does', () => {
    assert.equal(parseLsn('16/B374D848'), 0x16b374d848n);
    assert.equal(parseLsn('0/0'), 0n);
    assert.equal(formatLsn(parseLsn('16/B374D848')), '16/B374D848');
  });
});

describe('a version', () => {
  test('grows with the LSN, and with the epoch whatever the LSN', () => {
    assert.ok(versionOf(0, 2n) > versionOf(0, 1n));
    assert.ok(versionOf(1, 0n) > versionOf(0, (1n << 48n) - 1n));
  });

  test('fits a signed 64-bit integer at its largest', () => {
    assert.equal(versionOf(0x7fff, (1n << 48n) - 1n), (1n << 63n) - 1n);
    assert.throws(() => versionOf(0x8000, 0n), RangeError);
    assert.throws(() => versionOf(0, 1n << 48n), RangeError);
  });
});

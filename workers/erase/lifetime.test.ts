import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endsWithTombstone, goneBy } from './lifetime.ts';
import type { Trace } from './topic.ts';

const HOUR = 3_600_000;
const trace = (at: number, isTombstone = false, partition = 0): Trace => ({
  partition,
  offset: '0',
  at,
  version: BigInt(at),
  isTombstone,
});

const both = {
  'cleanup.policy': 'compact,delete',
  'segment.ms': String(HOUR),
  'retention.ms': String(10 * HOUR),
};

const cases: { name: string; settings: Record<string, string>; expected: number | undefined }[] = [
  { name: 'it is deleted, whenever compaction comes', settings: both, expected: 14 },
  { name: 'it is only deleted', settings: { ...both, 'cleanup.policy': 'delete' }, expected: 14 },
  { name: 'it is only compacted', settings: { ...both, 'cleanup.policy': 'compact' }, expected: undefined },
  { name: 'it is kept for ever', settings: { ...both, 'retention.ms': '-1' }, expected: undefined },
];

describe('a record with a value at 2 o’clock, deleted at 3, is gone', () => {
  const traces = [trace(HOUR), trace(2 * HOUR), trace(3 * HOUR, true)];
  for (const { name, settings, expected } of cases) {
    test(`by ${expected ?? 'no'} o’clock where ${name}`, () => {
      const by = goneBy(traces, new Map(Object.entries(settings)));
      assert.equal(by && by.getTime() / HOUR, expected);
    });
  }
});

describe('a user is deleted in the topic', () => {
  test('where the last record is a tombstone', () =>
    assert.ok(endsWithTombstone([trace(1), trace(2, true)])));
  test('not where a value follows', () => assert.ok(!endsWithTombstone([trace(1, true), trace(2)])));
  test('where it is newer than a value in another partition, whichever is read first', () => {
    assert.ok(endsWithTombstone([trace(1, false, 1), trace(2, true, 0)]));
    assert.ok(endsWithTombstone([trace(2, true, 0), trace(1, false, 1)]));
  });
  test('not where a newer value stands in another partition', () =>
    assert.ok(!endsWithTombstone([trace(3, false, 1), trace(2, true, 0)])));
  test('where there is no record at all', () => assert.ok(endsWithTombstone([])));
});

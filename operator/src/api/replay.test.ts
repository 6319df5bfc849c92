import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REPLAY_ANNOTATION, replayOf } from './replay.ts';

const good: [text: string, expected: unknown][] = [
  ['earliest', { timeMs: 0 }],
  ['2026-11-23T18:00:00Z', { timeMs: Date.UTC(2026, 10, 23, 18) }],
  ['2026-11-23T18:00:00.5+02:00', { timeMs: Date.UTC(2026, 10, 23, 16, 0, 0, 500) }],
  ['{"0": 0, "11": 1200}', { offsets: { 0: 0, 11: 1200 } }],
];

const bad = [
  '',
  'latest',
  'yesterday',
  '2026-11-23',
  '2026-11-23T18:00:00',
  '1969-12-31T23:59:59Z',
  '1200',
  '{}',
  '[]',
  '{"0": -1}',
  '{"0": 1.5}',
  '{"0": "7"}',
  '{"first": 7}',
  '{"01": 7}',
  '{"0": 1',
];

describe('where a replay begins', () => {
  const of = (text: string) => replayOf({ [REPLAY_ANNOTATION]: text });

  test('is nobody’s wish', () => assert.deepEqual(replayOf({ other: 'earliest' }), {}));

  for (const [text, from] of good) test(text, () => assert.deepEqual(of(text), { from }));

  for (const text of bad) {
    test(`not at ${JSON.stringify(text)}`, () => {
      const { from, fault = '' } = of(text);
      assert.equal(from, undefined);
      assert.ok(fault.startsWith('metadata.annotations["userstream.dev/replay-from"] is '), fault);
      assert.ok(fault.includes(JSON.stringify(text)), fault);
    });
  }
});

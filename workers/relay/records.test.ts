import assert from 'node:assert/strict';
import { test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import { epochEnd } from './records.ts';

test('an epoch ends in every partition, each record with the span of its snapshot', () => {
  const to = { topic: 'users', deadLetterTopic: 'dead', schema: { id: 7, columns: USER_COLUMNS } };
  // A partition that was added meanwhile holds nothing from before it.
  const span = { start: { 0: '3' }, end: { 0: '9', 1: '4' } };
  const records = epochEnd(5n << 48n, span, to);
  assert.deepEqual(
    records.map(({ topic, key, partition }) => [topic, key, partition]),
    [
      ['users', 'epoch-end', 0],
      ['users', 'epoch-end', 1],
    ],
  );
  for (const { headers } of records) {
    assert.equal(headers['version'], String(5n << 48n));
    assert.deepEqual(JSON.parse(headers['epoch-start'] ?? ''), span.start);
    assert.deepEqual(JSON.parse(headers['epoch-end'] ?? ''), span.end);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Buckets } from './buckets.ts';

const row = (id: string, name = 'Ada') => ({ id, values: [name] });

test('rows that both sides have leave nothing behind, in whatever order they come', () => {
  const buckets = new Buckets();
  const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`);
  for (const id of ids) buckets.add('postgres', row(id));
  for (const id of ids.toReversed()) buckets.add('cassandra', row(id));
  assert.equal(buckets.differing, 0);
});

test('a changed, a missing and an extra row are each found in their bucket', () => {
  const buckets = new Buckets();
  buckets.add('postgres', row('changed'));
  buckets.add('cassandra', row('changed', 'Bob'));
  buckets.add('postgres', row('missing'));
  buckets.add('cassandra', row('extra'));
  assert.equal(buckets.differing, 3);
  for (const id of ['changed', 'missing', 'extra']) assert.ok(buckets.differs(id));
  assert.ok(!buckets.differs('sound'));
});

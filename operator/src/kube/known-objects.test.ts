import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { KnownObjects } from './known-objects.ts';

const object = (resourceVersion: string, uid = 'one') => ({
  metadata: { namespace: 'a', name: 'b', uid, resourceVersion },
});

describe('what is known of objects', () => {
  let changes: string[];
  let known: KnownObjects<ReturnType<typeof object>>;

  beforeEach(() => {
    changes = [];
    known = new KnownObjects(({ type, object: { metadata }, before }) => {
      const of = before ? ` after ${before.metadata.resourceVersion}` : '';
      changes.push(`${type} ${metadata.uid} ${metadata.resourceVersion}${of}`);
    });
  });

  const cases: { name: string; does: () => void; changes: string[] }[] = [
    {
      name: 'the newer wins',
      does: () => known.set(object('10')),
      changes: ['set one 9', 'set one 10 after 9'],
    },
    { name: 'the older is not believed', does: () => known.set(object('8')), changes: ['set one 9'] },
    { name: 'the same is no change', does: () => known.set(object('9')), changes: ['set one 9'] },
    {
      name: 'what is gone is forgotten',
      does: () => known.remove('a/b', '10'),
      changes: ['set one 9', 'deleted one 9'],
    },
    {
      name: 'a deletion before what is known was that of another',
      does: () => known.remove('a/b', '8'),
      changes: ['set one 9'],
    },
    {
      name: 'another object under the name means that the first is gone',
      does: () => known.set(object('12', 'two')),
      changes: ['set one 9', 'deleted one 9', 'set two 12'],
    },
    {
      name: 'what a list leaves out is gone',
      does: () => known.replaceAll([], '9'),
      changes: ['set one 9', 'deleted one 9'],
    },
    {
      name: 'what came after a list is not gone because the list leaves it out',
      does: () => known.replaceAll([], '8'),
      changes: ['set one 9'],
    },
    {
      name: 'of a kind that is there no longer nothing is',
      does: () => known.clear(),
      changes: ['set one 9', 'deleted one 9'],
    },
  ];
  for (const { name, does, changes: expected } of cases) {
    test(name, () => {
      known.set(object('9'));
      does();
      assert.deepEqual(changes, expected);
    });
  }
});

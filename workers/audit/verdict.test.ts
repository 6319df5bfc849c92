import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from './audit.ts';
import { verdictOf } from './verdict.ts';

const equal: Outcome = { users: 5, rows: 4, differing: [], more: false, unsettled: 0 };
const changed = (id: string) => ({ id, kind: 'changed' as const });

const cases: { name: string; outcome: Outcome; status: string; message: RegExp }[] = [
  { name: 'nothing differs', outcome: equal, status: 'True', message: /^nothing differs \(5 .* 4 .*\)$/ },
  {
    name: 'a user changed at each look',
    outcome: { ...equal, unsettled: 1 },
    status: 'True',
    message: /^nothing differs \(.*\), and nothing can be said yet of 1 more that changed at each look$/,
  },
  {
    name: 'each kind is named with its id',
    outcome: {
      ...equal,
      differing: [changed('a'), { id: 'b', kind: 'missing' }, { id: 'c', kind: 'extra' }],
    },
    status: 'False',
    message:
      /^3 of them differ .*: a has other values in Cassandra, b is missing .*, c stands in Cassandra only;/,
  },
  {
    name: 'what can’t be compared is no promise that it is the same',
    outcome: {
      ...equal,
      differing: [
        { id: 'a', kind: 'failing' },
        { id: 'b', kind: 'oversized' },
      ],
    },
    status: 'False',
    message:
      /: a is one on which spark.sql throws an error, b is larger than the 32 MiB that can be compared;/,
  },
  {
    name: 'more differ than are named',
    outcome: { ...equal, differing: Array.from({ length: 30 }, (_, index) => changed(String(index))) },
    status: 'False',
    message: /, 19 has other values in Cassandra, …;/,
  },
  {
    name: 'more differ than are looked into',
    outcome: { ...equal, differing: [changed('a')], more: true },
    status: 'False',
    message: /^more than 1 of them/,
  },
  {
    name: 'more were under way than are looked into, and none of those differs',
    outcome: { ...equal, more: true },
    status: 'Unknown',
    message: /too many users change/,
  },
];

describe('the verdict of an audit', () => {
  for (const { name, outcome, status, message } of cases) {
    test(name, () => {
      const verdict = verdictOf(outcome);
      assert.equal(verdict.status, status);
      assert.match(verdict.message, message);
      assert.ok(verdict.message.length < 4096);
    });
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KafkaRecord } from '../lib/kafka.ts';
import { History, isAhead } from './history.ts';
import { versionOf } from './lsn.ts';

const changed = { name: 'StageError', reason: 'HistoryChanged' };
const newest = { key: 'ada', version: versionOf(1, 50n), position: versionOf(1, 70n) };
const record = (key: string, version: bigint) => ({ key, headers: { version: String(version) } });

describe('the newest record of the topic', () => {
  const cases: [what: string, version: bigint, isAhead: boolean][] = [
    ['of an earlier epoch says nothing', versionOf(0, 5000n), false],
    ['that was acknowledged says nothing', versionOf(1, 40n), false],
    ['that was not acknowledged has to come again', versionOf(1, 41n), true],
    ['at the very end of the WAL has to come again', versionOf(1, 90n), true],
  ];
  for (const [what, version, expected] of cases) {
    test(what, () => assert.equal(isAhead(version, 1, 40n, 90n), expected));
  }

  test('behind the end of the WAL is of another history', () => {
    assert.throws(() => isAhead(versionOf(1, 91n), 1, 40n, 90n), changed);
  });

  test('of an epoch that the database has forgotten is of another history', () => {
    assert.throws(() => isAhead(versionOf(2, 1n), 1, 40n, 90n), changed);
  });
});

test('an empty topic tells no history', () => {
  assert.throws(() => isAhead(undefined, 1, 40n, 90n), { name: 'StageError', reason: 'HistoryUnknown' });
});

describe('a history', () => {
  const watched = () => {
    const confirmed: string[] = [];
    return { history: new History(newest, 90n, () => confirmed.push('confirmed')), confirmed };
  };

  test('is confirmed when the record has come again', () => {
    const { history, confirmed } = watched();
    history.see(record('grace', newest.version));
    history.pass(60n);
    history.see(record('ada', newest.version));
    history.pass(100n);
    history.see(record('ada', newest.version));
    assert.deepEqual(confirmed, ['confirmed']);
  });

  test('knows a record by its version, whether or not it tells again where it was committed', () => {
    for (const headers of [{}, { 'committed-under': String(newest.position) }]) {
      const { history, confirmed } = watched();
      history.see({ key: 'ada', headers: { version: String(newest.version), ...headers } });
      assert.deepEqual(confirmed, ['confirmed']);
    }
  });

  const others: [what: string, seen: Pick<KafkaRecord, 'key' | 'headers'>][] = [
    ['another change stands in its place', record('grace', newest.version)],
    ['the user was changed elsewhere', record('ada', versionOf(1, 51n))],
  ];
  for (const [what, seen] of others) {
    test(`is another where ${what}`, () => {
      const { history } = watched();
      history.see(seen);
      assert.throws(() => history.pass(90n), changed);
    });
  }
});

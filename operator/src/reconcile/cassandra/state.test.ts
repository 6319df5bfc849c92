import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOfEarlierLife, members } from './state.ts';

describe('a volume of an earlier life', () => {
  const since = '2026-03-08T00:00:00Z';
  const cases: { name: string; phase: string; madeAt: string; earlier: boolean }[] = [
    { name: 'was in use before', phase: 'Bound', madeAt: '2026-03-07T23:59:59Z', earlier: true },
    { name: 'was never bound', phase: 'Pending', madeAt: '2026-03-07T23:59:59Z', earlier: false },
    { name: 'came with the ring', phase: 'Bound', madeAt: since, earlier: false },
    { name: 'came after it', phase: 'Bound', madeAt: '2026-03-08T00:00:01Z', earlier: false },
  ];
  test('that is being deleted counts no more: false', () => {
    const metadata = { creationTimestamp: new Date('2026-03-07'), deletionTimestamp: new Date(since) };
    assert.equal(isOfEarlierLife({ metadata, status: { phase: 'Bound' } }, since), false);
  });
  for (const { name, phase, madeAt, earlier } of cases) {
    const metadata = { creationTimestamp: new Date(madeAt) };
    test(`${name}: ${earlier}`, () =>
      assert.equal(isOfEarlierLife({ metadata, status: { phase } }, since), earlier));
  }
});

test('members are those whose volumes came about and are to stay, whatever pods there are', () => {
  const volume = (name: string, more: object = {}, deleted = {}) => ({
    metadata: { name, ...deleted },
    spec: { volumeName: 'bound', ...more },
  });
  const volumes = [
    volume('data-users-cassandra-0'),
    volume('data-users-cassandra-4'),
    volume('data-users-cassandra-5', { volumeName: undefined }),
    volume('data-users-cassandra-6', {}, { deletionTimestamp: new Date() }),
    volume('data-other-cassandra-7'),
    volume('data-users-cassandra-x'),
  ];
  assert.deepEqual(members('users-cassandra', volumes), [0, 4]);
});

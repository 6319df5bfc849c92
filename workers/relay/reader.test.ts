import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import * as wal from '../test/pgoutput.ts';
import { lsnOf } from './lsn.ts';
import { Reader } from './reader.ts';

function setUp() {
  const seen: string[] = [];
  const reader = new Reader({
    epoch: 1,
    from: 0n,
    schema: { columns: USER_COLUMNS, asOf: 2n ** 47n, namespace: 'public' },
    recordOf: ({ id, committedAt, encode }) => {
      const headers = { at: String(committedAt) };
      return { topic: 'users', key: id, value: encode ? encode(1) : null, headers };
    },
    add: ({ key, headers }) => {
      const [version, under] = [headers['version'], headers['committed-under']].map((each) =>
        each ? lsnOf(BigInt(each)) : undefined,
      );
      seen.push(`${key} ${version} at ${headers['at']}${under ? ` under ${under}` : ''}`);
    },
    mark: (lsn) => seen.push(`mark ${lsn}`),
  });
  reader.onMessage(wal.relation('users', { id: 2950 }), 0n);
  return { reader, seen };
}

const begin = wal.begin(1000);
/** Stands at 63 and ends at 64. */
const commit = wal.commit(0x40n);

describe('the reader', () => {
  test('gives a change the LSN of its own record, and marks the end of the commit', () => {
    const { reader, seen } = setUp();
    reader.onMessage(begin, 0n);
    reader.onMessage(wal.update(undefined, ['a']), 0x10n);
    reader.onMessage(wal.remove('K', ['b']), 0x20n);
    reader.onMessage(commit, 0x40n);
    assert.deepEqual(seen, ['a 16 at 1000', 'b 32 at 1000', 'mark 64']);
  });

  test('gives a new row the place before the next change, or before the commit', () => {
    const { reader, seen } = setUp();
    reader.onMessage(begin, 0n);
    reader.onMessage(wal.insert(['a']), 0x10n);
    reader.onMessage(wal.update(['O', ['a']], ['b']), 0x20n);
    reader.onMessage(commit, 0x40n);
    assert.deepEqual(seen, ['a 31 at 1000', 'a 32 at 1000', 'b 62 at 1000', 'mark 64']);
  });

  test('tells where a row was committed that is older than what was published while its transaction was open', () => {
    const { reader, seen } = setUp();
    reader.onKeepalive(0x20n);
    reader.onMessage(wal.begin(1000, 0x3fn), 0n);
    reader.onMessage(wal.update(undefined, ['a']), 0x10n);
    reader.onMessage(wal.update(undefined, ['b']), 0x20n);
    reader.onMessage(commit, 0x40n);
    assert.deepEqual(seen, ['mark 32', 'a 16 at 1000 under 63', 'b 32 at 1000', 'mark 64']);
  });

  test('marks a keepalive only between transactions', () => {
    const { reader, seen } = setUp();
    reader.onKeepalive(5n);
    reader.onMessage(begin, 0n);
    reader.onKeepalive(6n);
    reader.onMessage(commit, 0x30n);
    reader.onKeepalive(70n);
    assert.deepEqual(seen, ['mark 5', 'mark 64', 'mark 70']);
  });
});

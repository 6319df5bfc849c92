import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import * as wal from '../test/pgoutput.ts';
import { Reader } from './reader.ts';

function setUp() {
  const seen: string[] = [];
  const reader = new Reader({
    epoch: 1,
    schema: { columns: USER_COLUMNS, asOf: 2n ** 47n },
    add: ({ id, version, committedAt }) => seen.push(`${id} ${version & 0xffffn} at ${committedAt}`),
    mark: (lsn) => seen.push(`mark ${lsn}`),
  });
  reader.onMessage(wal.relation('users', { id: 2950 }), 0n);
  return { reader, seen };
}

const begin = wal.begin(1000);
const commit = wal.commit(0x40n);

describe('the reader', () => {
  test('gives each row the LSN of its own record, and marks the end of the commit', () => {
    const { reader, seen } = setUp();
    reader.onMessage(begin, 0n);
    reader.onMessage(wal.insert(['a']), 0x10n);
    reader.onMessage(wal.insert(['b']), 0x20n);
    reader.onMessage(commit, 0x30n);
    assert.deepEqual(seen, ['a 16 at 1000', 'b 32 at 1000', 'mark 64']);
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

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pgoutput } from 'pg-logical-replication';
import { Reader } from './reader.ts';

function setUp() {
  const seen: string[] = [];
  const reader = new Reader({
    epoch: 1,
    add: ({ id, version, committedAt }) => seen.push(`${id} ${version & 0xffffn} at ${committedAt}`),
    mark: (lsn) => seen.push(`mark ${lsn}`),
  });
  const say = (message: object, lsn = 0n) => reader.onMessage(message as Pgoutput.Message, lsn);
  return { reader, seen, say };
}

const begin = { tag: 'begin', commitTime: 1_000_000n };
const commit = { tag: 'commit', commitLsn: '0/30', commitEndLsn: '0/40' };
const insert = (id: string) => ({ tag: 'insert', relation: { name: 'users' }, new: { id } });

describe('the reader', () => {
  test('gives each row the LSN of its own record, and marks the end of the commit', () => {
    const { seen, say } = setUp();
    say(begin);
    say(insert('a'), 0x10n);
    say(insert('b'), 0x20n);
    say(commit);
    assert.deepEqual(seen, ['a 16 at 1000', 'b 32 at 1000', 'mark 64']);
  });

  test('marks a keepalive only between transactions', () => {
    const { reader, seen, say } = setUp();
    reader.onKeepalive(5n);
    say(begin);
    reader.onKeepalive(6n);
    say(commit);
    reader.onKeepalive(70n);
    assert.deepEqual(seen, ['mark 5', 'mark 64', 'mark 70']);
  });
});

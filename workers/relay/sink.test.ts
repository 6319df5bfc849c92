import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KafkaRecord, Publisher } from '../lib/kafka.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { MAX_VERSION } from './lsn.ts';
import { newestOf, recordOf, versioned } from './records.ts';
import { TextRow } from './row.ts';
import { RowEncoder } from './row-encoder.ts';
import { send } from './sink.ts';

const to = { topic: 'users', deadLetterTopic: 'dead', schema: { id: 1, columns: USER_COLUMNS } };
const record = (key: string): KafkaRecord => ({
  topic: 'users',
  key,
  value: Buffer.from(key),
  headers: { version: '1' },
});
const refusal = Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });

/** A publisher with a limit of keys in a batch, that can't stand the key `X` in the users topic. */
function limited(limit: number): { publisher: Pick<Publisher, 'publish'>; sent: string[] } {
  const sent: string[] = [];
  const publish = async (records: readonly KafkaRecord[]) => {
    const isRefused = records.some(({ key, topic }) => key === 'X' && topic === 'users');
    if (records.length > limit || isRefused) throw refusal;
    sent.push(records.map(({ topic, key }) => `${topic}:${key}`).join(' '));
  };
  return { publisher: { publish }, sent };
}

describe('sending a batch', () => {
  test('that is too large as a whole goes in parts, in order', async () => {
    const { publisher, sent } = limited(2);
    assert.equal(await send(publisher, to, ['a', 'b', 'c', 'd'].map(record)), 0);
    assert.deepEqual(sent, ['users:a users:b', 'users:c users:d']);
  });

  test('with one record that is too large makes a dead letter of that one alone', async () => {
    const { publisher, sent } = limited(9);
    assert.equal(await send(publisher, to, ['a', 'X', 'b'].map(record)), 1);
    assert.deepEqual(sent, ['users:a', 'dead:X', 'users:b']);
  });

  test('that begins with a dead letter goes in parts, too', async () => {
    const { publisher, sent } = limited(9);
    const dead = { ...record('d'), topic: 'dead' };
    assert.equal(await send(publisher, to, [dead, record('X'), record('b')]), 1);
    assert.deepEqual(sent, ['dead:d', 'dead:X', 'users:b']);
  });

  test('that fails for another reason is the caller’s matter', async () => {
    const publisher = { publish: () => Promise.reject(new Error('away')), close: async () => {} };
    await assert.rejects(send(publisher, to, [record('a')]), /away/);
  });
});

describe('the record of a change', () => {
  const gone = { id: 'a', isNew: false, encode: null };

  test('carries version and commit time as headers; that of a user who is gone is a tombstone', () => {
    const tombstone = versioned(recordOf({ ...gone, committedAt: 5 }, to), 9n);
    const headers = { version: '9', 'committed-at': '5' };
    assert.deepEqual(tombstone, { topic: 'users', key: 'a', value: null, headers });
  });

  test('has no commit time where that is not known', () => {
    assert.deepEqual(recordOf({ ...gone, committedAt: undefined }, to).headers, {});
  });

  test('that no request can hold is a dead letter with its size', () => {
    const encoder = new RowEncoder({ id: 'uuid', phone: 'text' }, (name) => (name === 'id' ? 0 : 1));
    const row = new TextRow(['', 'x'.repeat(65 * 2 ** 20)]);
    const encode = (id: number) => encoder.encode(row, id);
    const letter = recordOf({ ...gone, committedAt: 5, encode }, to);
    assert.deepEqual([letter.topic, letter.headers['reason'], letter.value?.length], ['dead', 'TooLarge', 0]);
    assert.match(letter.headers['detail'] ?? '', /68157440 bytes/);
  });
});

test('the newest record is the one of the highest version that there can be', () => {
  const tail = (key: string, version?: bigint) => ({
    key,
    headers: (version === undefined ? {} : { version: String(version) }) as Record<string, string>,
  });
  const tails = [
    tail('old', 5n),
    tail('new', MAX_VERSION),
    tail('impossible', MAX_VERSION + 1n),
    tail('none'),
  ];
  assert.deepEqual(newestOf(tails), { key: 'new', version: MAX_VERSION, position: MAX_VERSION });
  assert.equal(newestOf([tail('none')]), undefined);
  const long = { key: 'long', headers: { version: '3', 'committed-under': '9' } };
  assert.deepEqual(newestOf([tail('old', 5n), long]), { key: 'long', version: 3n, position: 9n });
});

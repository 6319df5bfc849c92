import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
/** kafkajs's own, taken before they are replaced. */
const own = {
  partitioner: require('kafkajs/src/producer/partitioners/default')(),
  groupByPartition: require('kafkajs/src/producer/groupMessagesPerPartition'),
  encodeRecord: require('kafkajs/src/protocol/recordBatch/record/v0'),
  crc32c: require('kafkajs/src/protocol/recordBatch/crc32C'),
};
const { choosePartition, encodeRecord, groupByPartition } = await import('./kafkajs-hot-paths.ts');
const { crc32c } = await import('./crc32c.ts');

const keys = [
  '',
  'a',
  'ab',
  'abc',
  'epoch-end',
  'Ада 🦀',
  ...Array.from({ length: 200 }, () => randomUUID()),
];
const partitionMetadata = [0, 1, 2, 3, 4].map((partitionId) => ({ partitionId, leader: 1 }));
const messageOf = (key: string) => ({ key, value: null, headers: {} });

describe('in the place of kafkajs’s own', () => {
  test('the partitioner sends each key to the same partition', () => {
    for (const key of keys.slice(1)) {
      const message = messageOf(key);
      assert.equal(
        choosePartition(message, 5),
        own.partitioner({ topic: 'users', partitionMetadata, message }),
      );
    }
  });

  test('a partition that is asked for is taken', () => {
    assert.equal(choosePartition({ ...messageOf('a'), partition: 4 }, 5), 4);
  });

  test('the grouping keeps partitions and order', () => {
    const input = {
      topic: 'users',
      partitionMetadata,
      messages: keys.map(messageOf),
      partitioner: ({ message }: { message: { key: string } }) => message.key.length % 3,
    };
    assert.deepEqual(groupByPartition(input), own.groupByPartition(input));
  });

  const sizes = [0, 1, 63, 64, 8191, 8192, 1_100_000];
  for (const size of sizes) {
    test(`a record of ${size} bytes is the same`, () => {
      const message = {
        key: 'Ада',
        value: randomBytes(size),
        headers: { version: '281474976710656', 'committed-at': '1764000000000', detail: 'ü'.repeat(100) },
        offsetDelta: size,
        timestampDelta: 0,
      };
      assert.deepEqual(encodeRecord(message).buffer, own.encodeRecord(message).buffer);
    });

    test(`the checksum of ${size} bytes is the same`, () => {
      const bytes = randomBytes(size + 5);
      assert.equal(crc32c(bytes), own.crc32c(bytes));
    });
  }

  test('a tombstone without headers is the same', () => {
    const message = { key: 'a', value: null, offsetDelta: 70, timestampDelta: 3 };
    assert.deepEqual(encodeRecord(message).buffer, own.encodeRecord(message).buffer);
  });
});

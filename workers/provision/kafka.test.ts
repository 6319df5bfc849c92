import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topicWishes } from './kafka.ts';

const kafka = {
  bootstrapServers: ['kafka:9092'],
  tls: false,
  compression: 'none' as const,
  topic: 'users',
  deadLetterTopic: 'dead',
};
const topics = {
  partitions: 6,
  replicas: 3,
  config: { 'retention.ms': '5' },
  deadLetterConfig: { 'retention.ms': '9' },
};

describe('the topics of a pipeline', () => {
  test('are the users topic as asked for, the dead letters and those of the registry', () => {
    const wishes = topicWishes(kafka, topics, ['journal']);
    assert.deepEqual(
      wishes.map(({ name, partitions, replicas }) => [name, partitions, replicas]),
      [
        ['users', 6, 3],
        ['dead', 1, 3],
        ['journal', 1, 3],
      ],
    );
    assert.deepEqual([wishes[0]?.config, wishes[1]?.config], [topics.config, topics.deadLetterConfig]);
  });

  test('of the registry never expire', () => {
    assert.equal(topicWishes(kafka, topics, ['journal'])[2]?.config['retention.ms'], '-1');
  });

  test('are somebody else’s where none are asked for', () => {
    assert.deepEqual(topicWishes(kafka, undefined, ['journal']), []);
  });
});

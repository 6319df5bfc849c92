import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEPT_DAYS } from '../../../workers/ingest/purge.ts';
import { kafkaObjects } from './kafka.ts';
import { deadLetterConfig } from './kafka-connection.ts';
import { fullPipeline } from './testing.ts';

test('users and dead letters may be larger than Kafka’s own limit of 1 MiB', () => {
  const topics = kafkaObjects(fullPipeline()).filter(({ kind }) => kind === 'KafkaTopic');
  const limits = topics.map(({ metadata: { name }, ...rest }) => {
    const { config } = Reflect.get(rest, 'spec') as { config: Record<string, string> };
    return [name?.replace(/^[^-]*-/, ''), config['max.message.bytes']];
  });
  assert.deepEqual(Object.fromEntries(limits), {
    users: '20971520',
    'dead-letter': '20971520',
    'registry-journal': undefined,
    'registry-snapshots': undefined,
    'registry-events': undefined,
  });
});

test('dead letters are gone by when rejected users are', () => {
  const config = deadLetterConfig(fullPipeline());
  const keptMs = Number(config['retention.ms']) + Number(config['segment.ms']);
  assert.equal(keptMs, KEPT_DAYS * 24 * 3_600_000);
});

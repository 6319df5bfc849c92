import { createRequire } from 'node:module';
import { crc32c } from './crc32c.ts';
import { encodeRecord, groupByPartition } from './kafkajs-hot-paths.ts';

// kafkajs with its slowest modules replaced. It is unmaintained and its version pinned, so their places stay the same.

const require = createRequire(import.meta.url);

function replace(path: string, replacement: unknown): void {
  require(path);
  const module = require.cache[require.resolve(path)];
  if (module) module.exports = replacement;
}

replace('kafkajs/src/producer/groupMessagesPerPartition', groupByPartition);
replace('kafkajs/src/protocol/recordBatch/record/v0', encodeRecord);
replace('kafkajs/src/protocol/recordBatch/crc32C', crc32c);

// Only now: kafkajs's other modules take these in when they are loaded.
export const { CompressionTypes, ConfigResourceTypes, ConfigSource, Kafka, logLevel } =
  require('kafkajs') as typeof import('kafkajs');
export type CompressionTypes = import('kafkajs').CompressionTypes;
export type Kafka = import('kafkajs').Kafka;

import type { EndOffsets, KafkaRecord } from '../lib/kafka.ts';
import type { Tail } from '../lib/kafka-tail.ts';
import type { Change } from './changes.ts';
import { type Newest, positionOf } from './history.ts';
import { MAX_VERSION } from './lsn.ts';
import { TextRow } from './row.ts';
import { RowEncoder, RowTooLarge } from './row-encoder.ts';
import type { Schema } from './schema.ts';

export type Destination = { topic: string; deadLetterTopic: string; schema: Pick<Schema, 'id' | 'columns'> };

/** The Kafka record of a change, without its version; of one that no request can hold, the dead letter that tells why. */
export function recordOf({ id, committedAt, encode }: Change, to: Destination): KafkaRecord {
  const headers: Record<string, string> =
    committedAt === undefined ? {} : { 'committed-at': String(committedAt) };
  const record: KafkaRecord = { topic: to.topic, key: id, value: null, headers };
  try {
    if (encode) record.value = encode(to.schema.id);
    return record;
  } catch (error) {
    if (error instanceof RowTooLarge) return deadLetter(record, to, 'TooLarge', error.message);
    throw error;
  }
}

/** `record`, with its version. */
export function versioned(record: KafkaRecord, version: bigint): KafkaRecord {
  record.headers['version'] = String(version);
  return record;
}

/**
 * The dead letter of a record that can't go its way. It carries no value, which may be what is wrong with it: the row
 * stands in Postgres under its key.
 */
export function deadLetter(
  record: KafkaRecord,
  to: Destination,
  reason: string,
  detail: string,
): KafkaRecord {
  const headers = { ...record.headers, reason, detail, 'original-topic': record.topic };
  return { topic: to.deadLetterTopic, key: record.key, value: Buffer.alloc(0), headers };
}

/** The offsets of each partition between which all records of a snapshot lie. */
export type Span = { start: EndOffsets; end: EndOffsets };

/** What marks a control record: no user, whatever else it looks like. */
const EPOCH_END = 'epoch-end';
const EPOCH_START = 'epoch-start';
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * The control records that end a snapshot, one a partition: who was not written under `version` or a higher one is gone.
 * That holds for who has applied all records between `start` and `end`. The value is a user's, because a reader that
 * knows no headers must be able to decode it.
 */
export function epochEnd(version: bigint, { start, end }: Span, to: Destination): KafkaRecord[] {
  const headers = {
    version: String(version),
    'committed-at': String(Date.now()),
    [EPOCH_START]: JSON.stringify(start),
    [EPOCH_END]: JSON.stringify(end),
  };
  const { id, columns } = to.schema;
  const nobody = new RowEncoder(columns, (name) => (name === 'id' ? 0 : -1));
  const value = nobody.encode(new TextRow([NIL_UUID]), id);
  return Object.keys(end).map((partition) => ({
    topic: to.topic,
    partition: Number(partition),
    key: EPOCH_END,
    value,
    headers,
  }));
}

/** The record with the highest of the positions that they carry in their headers; undefined where none carries a possible one. */
export function newestOf(records: readonly Tail[]): Newest | undefined {
  const versioned = records
    .map(({ key, headers }) => ({ key, texts: [headers['version'] ?? '', positionOf(headers) ?? ''] }))
    .filter(({ texts }) => texts.every((text) => /^\d+$/.test(text)))
    .map(({ key, texts: [version = '', position = ''] }) => ({
      key,
      version: BigInt(version),
      position: BigInt(position),
    }))
    .filter(({ position }) => position <= MAX_VERSION);
  return versioned.sort((one, other) => Number(one.position - other.position)).at(-1);
}

/** Roughly what a record takes in a batch. */
export function sizeOf(record: KafkaRecord): number {
  return (record.value?.length ?? 0) + record.key.length + 80;
}

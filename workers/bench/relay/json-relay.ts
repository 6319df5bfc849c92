import pg from 'pg';
import { pino } from 'pino';
import { createPublisher, kafkaClient } from '../../lib/kafka.ts';
import { postgresClient } from '../../lib/postgres.ts';
import { USER_COLUMNS } from '../../lib/user.ts';
import type { Change } from '../../relay/changes.ts';
import { Outbox } from '../../relay/outbox.ts';
import { Reader } from '../../relay/reader.ts';
import { readSlot } from '../../relay/slot.ts';
import { openStream, type WalStream } from '../../relay/stream.ts';
import { decode } from '../../test/avro.ts';

// The relay's stream with JSON for Avro, made from the Avro: what it costs more than the relay is the format's.

const { postgres, kafka, credentials } = JSON.parse(process.argv[2] ?? '');
const publisher = await createPublisher(
  kafkaClient(kafka, undefined, undefined, pino({ enabled: false })),
  'none',
);
const client = postgresClient(postgres, credentials);
const control = new pg.Client(client);
await control.connect();
const { confirmedLsn } = await readSlot(control, postgres);
let stream: WalStream | undefined;
const fail = (error: unknown) => {
  throw error;
};

const outbox = new Outbox({
  confirmed: confirmedLsn,
  send: (records) => publisher.publish(records),
  onConfirmed: (lsn) => stream?.confirm(lsn),
  onPressure: (full) => (full ? stream?.pause() : stream?.resume()),
  onError: fail,
});

function recordOf({ id, committedAt, encode }: Change) {
  const headers = { 'committed-at': String(committedAt) };
  const value = encode ? Buffer.from(JSON.stringify(decode(encode(1)).user)) : null;
  return { topic: kafka.topic, key: id, value, headers };
}

const reader = new Reader({
  epoch: 0,
  from: 0n,
  schema: { columns: USER_COLUMNS, asOf: 0n, namespace: 'public' },
  recordOf,
  add: (record) => outbox.add(record),
  mark: (lsn) => outbox.mark(lsn),
});
stream = await openStream({
  client,
  slot: postgres.slot,
  publication: postgres.publication,
  onMessage: (bytes, lsn) => reader.onMessage(bytes, lsn),
  onKeepalive: (lsn) => reader.onKeepalive(lsn),
});
stream.ended.catch(fail);

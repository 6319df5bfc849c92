import { Client } from 'pg';
import { USER_SCHEMA } from '../lib/avro.ts';
import type { Credentials, Sections } from '../lib/config.ts';
import { type Health, StageError } from '../lib/health.ts';
import {
  createPublisher,
  type KafkaRecord,
  kafkaClient,
  type Publisher,
  requireTopics,
} from '../lib/kafka.ts';
import { kafkaError } from '../lib/kafka-errors.ts';
import type { Logger } from '../lib/logging.ts';
import { postgresClient, postgresError } from '../lib/postgres.ts';
import { subjectClient } from '../lib/registry.ts';
import { isAbort, sleep } from '../lib/retry.ts';
import type { Change } from './changes.ts';
import type { RelayMetrics } from './figures.ts';
import { type Lsn, versionOf } from './lsn.ts';
import { type Destination, epochEnd, recordOf } from './records.ts';
import { send } from './sink.ts';
import { markSnapshotDone, readSlot, type SlotState, tryLock } from './slot.ts';
import { takeSnapshot } from './snapshot.ts';
import { streamChanges } from './streaming.ts';

export type System = 'POSTGRES' | 'KAFKA' | 'SCHEMA_REGISTRY';

export type SessionContext = {
  config: Pick<Sections, 'postgres' | 'kafka' | 'schemaRegistry'>;
  access: Record<System, { credentials: Credentials | undefined; ca: string | undefined }>;
  metrics: RelayMetrics;
  health: Health;
  log: Logger;
  signal: AbortSignal;
};

/** What a session has open once it is its turn. */
export type Session = SessionContext & {
  control: Client;
  slot: SlotState;
  /** Publishes what it is given, in order, and counts it. */
  publish(records: readonly KafkaRecord[]): Promise<void>;
  recordOf(change: Change): KafkaRecord;
  /** Tells in every partition that who was not written under `version` or a higher one is gone. */
  endEpoch(version: bigint): Promise<void>;
};

const STANDBY_POLL_MS = 1000;
/** Lets the server notice within seconds that a relay's machine has gone, and give its lock to another. */
const CONTROL_SETTINGS =
  '-c TimeZone=UTC -c DateStyle=ISO -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2';

/**
 * One life of the relay: waits for its turn, publishes the snapshot if that is still to be done, then the WAL, until
 * the signal aborts. Nothing is remembered between two: each begins where the slot says.
 * @throws {StageError} on anything else; the next session makes good for it.
 */
export async function runSession(context: SessionContext): Promise<void> {
  const control = await openControl(context);
  let publisher: Publisher | undefined;
  try {
    const slot = await awaitTurn(context, control);
    const to = await destination(context);
    publisher = await openPublisher(context);
    const session = { ...context, control, slot, ...publishing(context, publisher, to) };
    context.metrics.active.set(1);
    if (!slot.snapshotDone) await publishSnapshot(session);
    await streamChanges(session);
  } catch (error) {
    throw error instanceof StageError || isAbort(error)
      ? error
      : postgresError(context.config.postgres, error);
  } finally {
    context.metrics.active.set(0);
    await publisher?.close().catch(() => {});
    await control.end().catch(() => {});
  }
}

async function openControl({ config, access }: SessionContext): Promise<Client> {
  const { credentials, ca } = access.POSTGRES;
  const control = new Client({
    ...postgresClient(config.postgres, credentials, ca),
    options: CONTROL_SETTINGS,
    query_timeout: 60_000,
  });
  // A broken connection shows in the next query.
  control.on('error', () => {});
  try {
    await control.connect();
  } catch (error) {
    throw postgresError(config.postgres, error);
  }
  return control;
}

async function awaitTurn({ config, metrics, health, log, signal }: SessionContext, control: Client) {
  const name = config.postgres.slot;
  for (let [locked, told] = [false, false]; ; told = true) {
    locked ||= await tryLock(control, name);
    const slot = await readSlot(control, name);
    if (locked && !slot.active) return slot;
    if (!told) log.info({ slot: name }, 'standing by: another relay holds the slot');
    health.ready({ standby: 1, records: metrics.total, lagBytes: 0 });
    await sleep(STANDBY_POLL_MS, signal);
  }
}

async function destination({ config, access }: SessionContext): Promise<Destination> {
  const subject = subjectClient(config.schemaRegistry, access.SCHEMA_REGISTRY.credentials);
  const { topic, deadLetterTopic } = config.kafka;
  return { topic, deadLetterTopic, schemaId: await subject.idOf(USER_SCHEMA) };
}

async function openPublisher({ config, access, log }: SessionContext): Promise<Publisher> {
  const { credentials, ca } = access.KAFKA;
  const { topic, deadLetterTopic, compression } = config.kafka;
  const kafka = kafkaClient(config.kafka, credentials, ca, log);
  try {
    await requireTopics(kafka, [topic, deadLetterTopic]);
    return await createPublisher(kafka, compression);
  } catch (error) {
    throw kafkaError(config.kafka, error);
  }
}

function publishing({ config, metrics }: SessionContext, publisher: Publisher, to: Destination) {
  const tell = (error: unknown) => Promise.reject(kafkaError(config.kafka, error));
  return {
    recordOf: (change: Change) => recordOf(change, to),
    publish: async (records: readonly KafkaRecord[]) => {
      const refused = await send(publisher, to, records).catch(tell);
      count(metrics, to, records, refused);
    },
    endEpoch: async (version: bigint) => {
      const offsets = await publisher.endOffsets(to.topic).catch(tell);
      await publisher.publish(epochEnd(version, offsets, to)).catch(tell);
    },
  };
}

function count(metrics: RelayMetrics, to: Destination, records: readonly KafkaRecord[], refused: number) {
  const dead = records.filter((record) => record.topic === to.deadLetterTopic).length;
  const tombstones = records.filter((record) => record.value === null).length;
  metrics.total += records.length;
  metrics.records.inc({ kind: 'dead_letter' }, dead + refused);
  metrics.records.inc({ kind: 'tombstone' }, tombstones);
  metrics.records.inc({ kind: 'upsert' }, records.length - tombstones - dead - refused);
}

async function publishSnapshot(session: Session): Promise<void> {
  const { control, slot, log, health, metrics, config } = session;
  const version: Lsn = versionOf(slot.epoch, slot.startLsn);
  log.info({ epoch: slot.epoch }, 'publishing the table as it stands');
  const publish = async (changes: Change[]) => {
    await session.publish(changes.map(session.recordOf));
    health.ready({ records: metrics.total, snapshot: 1 });
  };
  const rows = await takeSnapshot(control, version, publish, session.signal);
  await session.endEpoch(version);
  await markSnapshotDone(control, config.postgres.slot, slot.epoch);
  log.info({ epoch: slot.epoch, rows }, 'published the table');
}

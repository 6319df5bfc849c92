import { Client } from 'pg';
import type { Credentials, Sections } from '../lib/config.ts';
import { type Health, StageError } from '../lib/health.ts';
import {
  createPublisher,
  type EndOffsets,
  type KafkaRecord,
  kafkaClient,
  type Publisher,
  requireTopics,
} from '../lib/kafka.ts';
import { kafkaError } from '../lib/kafka-errors.ts';
import type { Logger } from '../lib/logging.ts';
import { postgresClient, postgresError } from '../lib/postgres.ts';
import { subjectClient } from '../lib/registry.ts';
import { isAbort } from '../lib/retry.ts';
import type { Change } from './changes.ts';
import { beginEpoch } from './epoch.ts';
import type { RelayMetrics } from './figures.ts';
import { isHistoryLost, type Newest } from './history.ts';
import { type Destination, epochEnd, newestOf, recordOf } from './records.ts';
import { isRewritten, noteColumns, sendAllAgain } from './rewrite.ts';
import { VALUE_SETTINGS } from './row-encoder.ts';
import { readSchema, type Schema, TableAltered } from './schema.ts';
import { send } from './sink.ts';
import { askForEpoch, riskOf, type SlotState } from './slot.ts';
import { streamChanges } from './streaming.ts';
import { awaitTurn } from './turn.ts';

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
  schema: Schema;
  /** Publishes what it is given, in order, and counts it. */
  publish(records: readonly KafkaRecord[]): Promise<void>;
  recordOf(change: Change): KafkaRecord;
  /** The newest of the topic's last records; undefined where it has none. */
  published(): Promise<Newest | undefined>;
  /** The offset behind the last record of each partition. */
  endOffsets(): Promise<EndOffsets>;
  /** Tells in every partition that who was not written under `version` or a higher one, from `start` on, is gone. */
  endEpoch(version: bigint, start: EndOffsets): Promise<void>;
};

/** Lets the server notice within seconds that a relay's machine has gone, and give its lock to another. */
const CONTROL_SETTINGS = [
  VALUE_SETTINGS,
  '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2',
  // While it waits for what it sent to be acknowledged, as a page of a snapshot, the kernel sends no keepalives.
  '-c tcp_user_timeout=15000',
].join(' ');

/**
 * One life of the relay: waits for its turn, publishes the snapshot if that is still to be done, then the WAL, until
 * the signal aborts or the table was altered. Nothing is remembered between two: each begins where the slot says.
 * @throws {StageError} on anything else; the next session makes good for it.
 */
export async function runSession(context: SessionContext): Promise<void> {
  const control = await openControl(context);
  let publisher: Publisher | undefined;
  let slot: SlotState | undefined;
  try {
    slot = await awaitTurn(context, control);
    await noteColumns(control, context.config.postgres.slot);
    const schema = await readSchema(control, context.config.postgres.slot, subjectOf(context));
    publisher = await openPublisher(context);
    const session = { ...context, control, slot, schema, ...publishing(context, publisher, schema) };
    context.metrics.active.set(1);
    if (!slot.snapshotDone) slot = await beginEpoch(session);
    await streamChanges({ ...session, slot });
  } catch (error) {
    if (isAbort(error)) throw error;
    // Nothing of the column was published: the next session begins before its first row, with the newest schema.
    if (error instanceof TableAltered) return context.log.info(error.message);
    await mend(control, context.config.postgres.slot, error).catch(() => {});
    const fault = postgresError(context.config.postgres, error);
    throw slot?.atRisk ? withRisk(fault, context.config.postgres.slot) : fault;
  } finally {
    context.metrics.active.set(0);
    await publisher?.close().catch(() => {});
    await control.end().catch(() => {});
  }
}

/** What the slot hands out doesn't tell is sent by the next session, under a new epoch. */
async function mend(control: Client, slot: string, error: unknown): Promise<void> {
  if (isHistoryLost(error)) await askForEpoch(control, slot);
  if (isRewritten(error)) await sendAllAgain(control, slot);
}

/** Whatever holds the relay up costs more than time now. */
function withRisk({ stage, reason, message, cause }: StageError, slot: string): StageError {
  return new StageError(stage, reason, `${message}. Meanwhile ${riskOf(slot)}`, { cause });
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

function subjectOf({ config, access }: SessionContext) {
  return subjectClient(config.schemaRegistry, access.SCHEMA_REGISTRY.credentials);
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

function publishing({ config, metrics }: SessionContext, publisher: Publisher, schema: Schema) {
  const { topic, deadLetterTopic } = config.kafka;
  const to = { topic, deadLetterTopic, schema };
  const tell = (error: unknown) => Promise.reject(kafkaError(config.kafka, error));
  const endOffsets = () => publisher.endOffsets(to.topic).catch(tell);
  return {
    recordOf: (change: Change) => recordOf(change, to),
    publish: async (records: readonly KafkaRecord[]) => {
      const refused = await send(publisher, to, records).catch(tell);
      count(metrics, to, records, refused);
    },
    published: async () => {
      const last = await publisher.lastRecords(to.topic, config.postgres.slot).catch(tell);
      return newestOf(last);
    },
    endOffsets,
    endEpoch: async (version: bigint, start: EndOffsets) => {
      const span = { start, end: await endOffsets() };
      await publisher.publish(epochEnd(version, span, to)).catch(tell);
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

import type { Client } from 'pg';
import type { Sections } from '../lib/config.ts';
import { StageError } from '../lib/health.ts';
import { markOf } from '../lib/publication.ts';
import { type Lsn, parseLsn } from './lsn.ts';
import { COLUMNS_KEPT, tableRewritten } from './rewrite.ts';

export type SlotState = {
  epoch: number;
  snapshotDone: boolean;
  /** Where the slot began: every change that it hands out lies behind. The version of the snapshot. */
  startLsn: Lsn;
  confirmedLsn: Lsn;
  /** The server's process that somebody reads the slot through; null while nobody does. */
  reader: number | null;
  /** False after the server was started anew: it may be another, or an older one. */
  serverKnown: boolean;
  /** More WAL waits than the server keeps: the next checkpoint may drop it, and the slot with it. */
  atRisk: boolean;
};

type Row = {
  epoch: number | null;
  snapshot_done: boolean | null;
  start_lsn: string | null;
  confirmed_flush_lsn: string | null;
  active_pid: number | null;
  wal_status: string | null;
  server_known: boolean | null;
  published: boolean | null;
  kept: boolean;
};

/** Which slot, and what it hands out. */
export type Source = Pick<Sections['postgres'], 'slot' | 'publication'>;

const QUERY = `
  SELECT state.epoch, state.snapshot_done, state.start_lsn::text,
         slot.confirmed_flush_lsn::text, slot.active_pid, slot.wal_status,
         state.server_started = pg_postmaster_start_time() AS server_known,
         state.publication = ${markOf('$2')} AS published, ${COLUMNS_KEPT} AS kept
  FROM (VALUES ($1::text)) AS wanted (slot)
  LEFT JOIN relay_state AS state USING (slot)
  LEFT JOIN pg_replication_slots AS slot ON slot.slot_name = wanted.slot`;

/**
 * Reads what is known about the slot.
 * @throws {StageError} SlotMissing, SlotLost or PublicationChanged: changes may have passed unread, so the relay never makes a
 * slot itself; TableRewritten
 */
export async function readSlot(client: Client, { slot, publication }: Source): Promise<SlotState> {
  const { rows } = await client.query<Row>(QUERY, [slot, publication]);
  const row = rows[0];
  if (row?.wal_status === 'lost') throw slotFault('SlotLost', slot, 'has lost WAL that was not read yet');
  if (!row?.confirmed_flush_lsn) throw slotFault('SlotMissing', slot, 'does not exist');
  if (row.epoch === null || !row.start_lsn) {
    throw slotFault('SlotNotProvisioned', slot, 'is not (or not wholly) recorded in relay_state');
  }
  if (!row.published) throw publicationChanged({ slot, publication });
  if (!row.kept) throw tableRewritten();
  return {
    epoch: row.epoch,
    snapshotDone: row.snapshot_done === true,
    startLsn: parseLsn(row.start_lsn),
    confirmedLsn: parseLsn(row.confirmed_flush_lsn),
    reader: row.active_pid,
    serverKnown: row.server_known === true,
    atRisk: isAtRisk(row.wal_status),
  };
}

function slotFault(reason: string, slot: string, fault: string): StageError {
  return new StageError(
    'Postgres',
    reason,
    `replication slot ${slot} ${fault}; run the provision job again: it makes a new slot under a new epoch, and the whole table is published anew`,
  );
}

function publicationChanged({ slot, publication }: Source): StageError {
  const fault = `may have passed over changes: publication ${publication}, or the trigger that tells it of a TRUNCATE, was altered`;
  return slotFault('PublicationChanged', slot, fault);
}

/**
 * Tries to become the one relay of the slot: the lock lasts as long as the client's connection. The slot itself
 * guards the stream; the lock guards the snapshot as well, which happens before.
 */
export async function tryLock(client: Client, slot: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(hashtextextended('userstream relay ' || $1, 0)) AS locked`,
    [slot],
  );
  return rows[0]?.locked === true;
}

/** @throws {StageError} EpochOver where `from` is no longer the epoch */
export async function raiseEpoch(client: Client, slot: string, from: number, to: number): Promise<void> {
  const { rowCount } = await client.query(
    'UPDATE relay_state SET epoch = $3 WHERE slot = $1 AND epoch = $2',
    [slot, from, to],
  );
  if (rowCount === 0) throw epochOver(from);
}

/** Another epoch was asked for meanwhile: it begins with the next session. */
export function epochOver(epoch: number): StageError {
  return new StageError('Postgres', 'EpochOver', `epoch ${epoch} is over; the next one begins`);
}

/** @throws {StageError} EpochOver where `epoch` is no longer the epoch */
export async function markSnapshotDone(client: Client, slot: string, epoch: number): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE relay_state SET snapshot_done = true, server_started = pg_postmaster_start_time()
     WHERE slot = $1 AND epoch = $2`,
    [slot, epoch],
  );
  if (rowCount === 0) throw epochOver(epoch);
}

/** Notes that the server, as it runs now, goes on where the topic ends. */
export async function markServerKnown(client: Client, slot: string): Promise<void> {
  await client.query('UPDATE relay_state SET server_started = pg_postmaster_start_time() WHERE slot = $1', [
    slot,
  ]);
}

/** Lets the next session begin a new epoch on the slot that is there: whatever it hands out lies behind restart_lsn. */
export async function askForEpoch(client: Client, slot: string): Promise<void> {
  await client.query(
    `UPDATE relay_state SET epoch = epoch + 1, snapshot_done = false, start_lsn = restart_lsn
     FROM pg_replication_slots WHERE slot_name = slot AND slot = $1`,
    [slot],
  );
}

export type WalState = {
  /** Where the server's WAL ends: everything that was committed before stands before it. */
  end: Lsn;
  atRisk: boolean;
  /** The epoch that is to be streamed; undefined where its snapshot has yet to be published. */
  epoch: number | undefined;
  /** How much more WAL may be written before the slot is lost; undefined where the server sets no limit. */
  safeBytes: number | undefined;
};

type WalRow = {
  end: string;
  wal_status: string | null;
  safe: string | null;
  epoch: number | null;
  published: boolean | null;
  kept: boolean;
};

/**
 * How the slot stands to the server's WAL.
 * @throws {StageError} PublicationChanged, TableRewritten
 */
export async function readWal(client: Client, { slot, publication }: Source): Promise<WalState> {
  const { rows } = await client.query<WalRow>(
    `SELECT pg_current_wal_lsn()::text AS end, slot.wal_status, slot.safe_wal_size::text AS safe,
            CASE WHEN state.snapshot_done THEN state.epoch END AS epoch,
            state.publication = ${markOf('$2')} AS published, ${COLUMNS_KEPT} AS kept
     FROM (VALUES ($1::text)) AS wanted (slot)
     LEFT JOIN relay_state AS state USING (slot)
     LEFT JOIN pg_replication_slots AS slot ON slot.slot_name = wanted.slot`,
    [slot, publication],
  );
  const { end = '', wal_status = null, safe = null, epoch = null, published, kept } = rows[0] ?? {};
  if (!published) throw publicationChanged({ slot, publication });
  if (!kept) throw tableRewritten();
  return {
    end: parseLsn(end),
    atRisk: isAtRisk(wal_status),
    epoch: epoch ?? undefined,
    safeBytes: safe === null ? undefined : Number(safe),
  };
}

function isAtRisk(walStatus: string | null): boolean {
  return walStatus === 'unreserved';
}

/** What a slot at risk means, and the way out. */
export function riskOf(slot: string): string {
  return `replication slot ${slot} is past max_slot_wal_keep_size and may be lost at the next checkpoint: let the relay catch up, end transactions that stay open, or raise the limit (postgres.managed.maxSlotWalKeepSize)`;
}

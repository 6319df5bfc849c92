import type { Client } from 'pg';
import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import { StageError } from '../lib/health.ts';
import { withClient } from '../lib/postgres.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { TABLES } from './ddl.ts';
import { ensurePublication } from './publication.ts';
import { checkUsersTable, ensureUsersTable } from './users-table.ts';

type Section = Sections['postgres'];

/** Holds off a second provision at the same time; the number means nothing else. */
const LOCK = 720_315_001;

/**
 * Makes the tables, the publication and the slot, as far as they are missing. A slot that is gone, or whose publication was
 * changed, is made anew under the next epoch, for the relay to publish the whole table again.
 */
export async function provisionPostgres(section: Section, access: Access): Promise<void> {
  await withClient(section, access, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await requireLogicalDecoding(client);
    await checkUsersTable(client, USER_COLUMNS);
    for (const statement of TABLES) await client.query(statement);
    await requireOwnDatabase(client, section.slot);
    await ensureUsersTable(client);
    await ensureSlot(client, section.slot, await ensurePublication(client, section.publication));
  });
}

/** Does `work` while no other provision of the same database does anything. */
export async function alone(section: Section, access: Access, work: () => Promise<void>): Promise<void> {
  await withClient(section, access, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await work();
  });
}

/**
 * Drops the slot, so that a server that lives on keeps no WAL for it; sends a relay that still reads it away. A slot of the
 * name that serves another database, or another plugin, is somebody else's.
 */
export async function dropSlot(section: Section, access: Access): Promise<void> {
  await withClient(section, access, async (client) => {
    const { rowCount } = await client.query(
      `SELECT FROM pg_replication_slots
       WHERE slot_name = $1 AND plugin = 'pgoutput' AND database = current_database()`,
      [section.slot],
    );
    if (rowCount === 1) await freeAndDrop(client, section.slot);
  });
}

/** Freeing the slot takes its reader a moment: one that is still in use is the next attempt's. */
async function freeAndDrop(client: Client, slot: string): Promise<void> {
  await client.query(
    'SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL',
    [slot],
  );
  await client.query('SELECT pg_drop_replication_slot($1)', [slot]);
}

/**
 * Drops all that provision made in the database but the slot; what is gone already is fine. Where provision was refused the
 * database, nothing in it is the pipeline's to drop.
 */
export async function dropTables(section: Section, access: Access): Promise<void> {
  await withClient(section, access, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    if (!(await isOwnDatabase(client, section.slot))) return;
    await client.query('BEGIN');
    await client.query(`DROP PUBLICATION IF EXISTS ${client.escapeIdentifier(section.publication)}`);
    await client.query(
      'DROP TABLE IF EXISTS users, rejected_users, ingest_state, ingest_claims, ingest_spent, relay_state',
    );
    await client.query('DROP FUNCTION IF EXISTS users_before_truncate()');
    await client.query('COMMIT');
  });
}

/** Whether provision has noted this pipeline's slot in the database, and no other's. */
async function isOwnDatabase(client: Client, slot: string): Promise<boolean> {
  const found = await client.query<{ provisioned: boolean }>(
    `SELECT to_regclass('relay_state') IS NOT NULL AS provisioned`,
  );
  if (!found.rows[0]?.provisioned) return false;
  const { rows } = await client.query<{ own: boolean | null }>(
    'SELECT bool_and(slot = $1) AS own FROM relay_state',
    [slot],
  );
  return rows[0]?.own ?? false;
}

async function requireLogicalDecoding(client: Client): Promise<void> {
  const { rows } = await client.query<{ wal_level: string }>('SHOW wal_level');
  if (rows[0]?.wal_level === 'logical') return;
  throw new StageError(
    'Postgres',
    'WalLevelNotLogical',
    `the server runs with wal_level = ${rows[0]?.wal_level}: set it to logical and restart the server`,
  );
}

/** Two pipelines would overwrite each other's users, and each would publish both's. */
async function requireOwnDatabase(client: Client, slot: string): Promise<void> {
  const { rows } = await client.query<{ slot: string }>('SELECT slot FROM relay_state WHERE slot <> $1', [
    slot,
  ]);
  if (!rows[0]) return;
  throw new StageError(
    'Postgres',
    'DatabaseTaken',
    `the database serves another pipeline already, by replication slot ${rows[0].slot}: give each pipeline a database of its own; where that pipeline is gone for good, run DELETE FROM relay_state WHERE slot = '${rows[0].slot}'`,
  );
}

type Found = {
  exists: boolean;
  mine: boolean;
  /** It hands out all that was changed since it was made, as far as is known. */
  whole: boolean;
  started: boolean;
};

/**
 * A publication that was mended, or changed and changed back, leaves a gap in what its slot hands out, also in transactions
 * that are open: a new slot waits for those.
 * @param mark the publication's, as it is now
 */
async function ensureSlot(client: Client, slot: string, mark: string): Promise<void> {
  const found = await findSlot(client, slot, mark);
  if (found.exists && !found.mine) {
    throw new StageError(
      'Postgres',
      'SlotTaken',
      `replication slot ${slot} belongs to another database or another output plugin; set postgres.external.database back, or, if ` +
        `nobody needs it any more, drop it: SELECT pg_drop_replication_slot('${slot}')`,
    );
  }
  if (found.exists && !found.whole) await freeAndDrop(client, slot);
  if (!found.exists || !found.whole) await createSlot(client, slot, mark);
  else if (!found.started) await recordStart(client, slot);
}

async function findSlot(client: Client, slot: string, mark: string): Promise<Found> {
  const { rows } = await client.query<Found>(
    `SELECT found.slot_name IS NOT NULL AS exists,
            found.plugin = 'pgoutput' AND found.database = current_database() AS mine,
            found.wal_status IS DISTINCT FROM 'lost' AND found.confirmed_flush_lsn IS NOT NULL
              AND state.publication IS NOT DISTINCT FROM $2 AS whole,
            state.start_lsn IS NOT NULL AS started
     FROM (VALUES ($1::text)) AS wanted (slot)
     LEFT JOIN relay_state AS state USING (slot)
     LEFT JOIN pg_replication_slots AS found ON found.slot_name = wanted.slot`,
    [slot, mark],
  );
  return rows[0] as Found;
}

/** The epoch is written down first: a slot that is there with no known start was made after it. */
async function createSlot(client: Client, slot: string, mark: string): Promise<void> {
  await client.query(
    `INSERT INTO relay_state AS state (slot, epoch, snapshot_done, publication) VALUES ($1, 0, false, $2)
     ON CONFLICT (slot) DO UPDATE
     SET epoch = state.epoch + 1, snapshot_done = false, start_lsn = NULL, publication = excluded.publication, column_marks = NULL`,
    [slot, mark],
  );
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await recordStart(client, slot);
}

/**
 * Where the slot began to read, not where it became consistent: a transaction that was open in between is handed out
 * later, with rows from before that point, and they must win over the snapshot's.
 */
async function recordStart(client: Client, slot: string): Promise<void> {
  await client.query(
    `UPDATE relay_state SET start_lsn = restart_lsn
     FROM pg_replication_slots WHERE slot_name = slot AND slot = $1`,
    [slot],
  );
}

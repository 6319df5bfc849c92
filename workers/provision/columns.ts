import type { Client } from 'pg';
import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import { withClient } from '../lib/postgres.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import type { TableColumns } from './schema.ts';
import { addColumns, checkUsersTable } from './users-table.ts';

/**
 * The columns of `users`. One that stood in the table before it became a field may have values that were never published:
 * for it the whole table is, under the next epoch, which the relay begins by itself.
 */
export function columnsInPostgres(section: Sections['postgres'], access: Access): TableColumns {
  return {
    check: (columns) => withClient(section, access, (client) => checkUsersTable(client, columns)),
    add: (columns) =>
      withClient(section, access, async (client) => {
        await client.query('BEGIN');
        // Who waits for the table holds up all who come after.
        await client.query(`SET LOCAL lock_timeout = '5s'`);
        const added = await addColumns(client, columns);
        await noteColumns(client, section.slot, Object.keys(columns), added);
        await client.query('COMMIT');
      }),
  };
}

async function noteColumns(client: Client, slot: string, names: string[], added: string[]): Promise<void> {
  const { rows } = await client.query<{ columns: string[] | null }>(
    'SELECT columns FROM relay_state WHERE slot = $1 FOR UPDATE',
    [slot],
  );
  const noted = rows[0]?.columns ?? Object.keys(USER_COLUMNS);
  const adopted = names.filter((name) => !noted.includes(name) && !added.includes(name));
  const anew =
    adopted.length > 0 ? ', epoch = epoch + 1, snapshot_done = false, start_lsn = restart_lsn' : '';
  await client.query(
    `UPDATE relay_state SET columns = $2${anew} FROM pg_replication_slots WHERE slot_name = slot AND slot = $1`,
    [slot, [...new Set([...noted, ...names])]],
  );
}

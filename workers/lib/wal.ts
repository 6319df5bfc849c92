/** Runs a statement and gives its rows. */
export type Query = <T extends object>(text: string, parameters?: readonly unknown[]) => Promise<T[]>;

/** Where the WAL ends now. */
export async function walEnd(query: Query): Promise<string> {
  const [wal] = await query<{ end: string }>('SELECT pg_current_wal_insert_lsn()::text AS end');
  return wal?.end ?? '';
}

/** Whether the relay has had Kafka's acknowledgement for all that was committed before `position`. */
export async function isPublished(query: Query, slot: string, position: string): Promise<boolean> {
  const [found] = await query<{ published: boolean }>(
    'SELECT confirmed_flush_lsn >= $2::pg_lsn AS published FROM pg_replication_slots WHERE slot_name = $1',
    [slot, position],
  );
  return found?.published === true;
}

import type { Proof, Remains } from './erase.ts';

/** What was proved, a line a store. */
export function report({ deleted, users, deadLetters }: Proof, table: string): string[] {
  return [
    line('Postgres', `users: ${rows(deleted.users)} deleted, none left`),
    line('Postgres', `rejected_users: ${rows(deleted.rejected)} deleted, none left`),
    line('Cassandra', `${table}: no row`),
    line('Kafka', `${users.topic}: ${deletion(users)}; ${older(users)}`),
    line('Kafka', `${deadLetters.topic}: ${older(deadLetters)}`),
  ];
}

const line = (store: string, text: string) => `${store.padEnd(10)} ${text}`;
const rows = (count: number) => `${count} ${count === 1 ? 'row' : 'rows'}`;

function deletion({ traces }: Remains): string {
  const tombstone = traces.findLast(({ isTombstone }) => isTombstone);
  if (!tombstone) return 'no record of it, and no deletion either';
  return `deleted at offset ${tombstone.offset} of partition ${tombstone.partition}`;
}

/** The records that still have a value: Kafka removes them, nobody can do so one by one. */
function older({ traces, goneBy }: Remains): string {
  const values = traces.filter(({ isTombstone }) => !isTombstone).length;
  if (values === 0) return 'no record with a value';
  const records = `${values} ${values === 1 ? 'record' : 'records'} with a value`;
  return goneBy
    ? `${records}, gone by ${goneBy.toISOString()} at the latest`
    : `${records}, which no setting of the topic removes for sure: set cleanup.policy to compact,delete, and retention.ms`;
}

import { hash } from 'node:crypto';
import { types } from 'cassandra-driver';

/** A column with its type. */
export type Column = readonly [name: string, type: string];

/** Why there is no telling what the SQL makes of a user: it throws an error, or the user is longer than Spark's driver takes. */
export type Fault = 'failing' | 'oversized';

/** A row as both sides tell it: its id, and the text of each column's value, in the columns' order. */
export type Row = { id: string; values: readonly (string | null)[]; fault?: Fault };

/** The text of a value as Spark casts it. Numbers that are equal have the same one, so has -0, which Postgres tells as 0 or as -0. */
export function sparkText(type: string, text: string | null): string | null {
  if (text === null || (type !== 'double' && type !== 'float')) return text;
  return String(type === 'float' ? Math.fround(Number(text)) : Number(text));
}

/** The text of a value as Cassandra's driver gives it. */
export function cassandraText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return String(value.getTime());
  // Days since Cassandra's first date, as they are on the wire.
  if (value instanceof types.LocalDate) return String(value.toBuffer().readUInt32BE(0));
  return String(value);
}

/** 64 bits that two rows share only where they are equal; one with a fault shares them with none of a store. */
export function fingerprint({ id, values, fault }: Row): Buffer {
  const text = JSON.stringify(fault ? { id, fault } : [id, ...values]);
  return hash('md5', text, 'buffer').subarray(0, 8);
}

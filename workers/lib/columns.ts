import { USER_COLUMNS } from './user.ts';

/** The types that a column may have: as Avro holds them, and as Postgres and Cassandra call them. */
export const COLUMN_TYPES = {
  uuid: { avro: { type: 'string', logicalType: 'uuid' }, postgres: 'uuid', cassandra: 'uuid' },
  text: { avro: 'string', postgres: 'text', cassandra: 'text' },
  timestamp: {
    avro: { type: 'long', logicalType: 'timestamp-millis' },
    postgres: 'timestamp with time zone',
    cassandra: 'timestamp',
  },
  bigint: { avro: 'long', postgres: 'bigint', cassandra: 'bigint' },
  double: { avro: 'double', postgres: 'double precision', cassandra: 'double' },
  boolean: { avro: 'boolean', postgres: 'boolean', cassandra: 'boolean' },
} as const;

export type ColumnType = keyof typeof COLUMN_TYPES;

/** The columns of a user, in order, with the type each has everywhere. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** A column beside the built-in ones; `path` leads to its value in the API's user, names joined by dots. */
export type Field = { name: string; type: ColumnType; path: string };

/** The built-in columns, then those of `more`. */
export function userColumns(more: Columns): Columns {
  return { ...USER_COLUMNS, ...more };
}

export function columnsOf(fields: readonly Field[]): Columns {
  return Object.fromEntries(fields.map(({ name, type }) => [name, type]));
}

/** The column's definition in Postgres: no stage keeps more of a moment than its milliseconds. */
export function postgresDefinition(name: string, type: ColumnType): string {
  return `"${name}" ${type === 'timestamp' ? 'timestamptz(3)' : COLUMN_TYPES[type].postgres}`;
}

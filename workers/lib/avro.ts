import { isDeepStrictEqual } from 'node:util';
import { COLUMN_TYPES, type Columns, type ColumnType } from './columns.ts';

/** Bytes before the Avro body in Confluent's wire format: a zero, then the schema's id. */
export const PREFIX_BYTES = 5;

/** Writes the first PREFIX_BYTES of a record. */
export function writePrefix(target: Buffer, schemaId: number): void {
  target.writeUInt8(0, 0);
  target.writeUInt32BE(schemaId, 1);
}

/** The Avro schema of a user: every column a field; all but `id` may be null, and are where a record lacks them. */
export function userSchema(columns: Columns) {
  const fields = Object.entries(columns).map(([name, type]) => {
    const { avro } = COLUMN_TYPES[type];
    return name === 'id' ? { name, type: avro } : { name, type: ['null', avro], default: null };
  });
  return { type: 'record', name: 'User', namespace: 'dev.userstream', fields };
}

/** The columns that `schema` is the schema of; undefined where it is none that `userSchema` makes. */
export function columnsOfSchema(schema: unknown): Columns | undefined {
  const fields = (schema as { fields?: { name: string; type: unknown }[] } | null | undefined)?.fields;
  if (!Array.isArray(fields)) return undefined;
  const types = fields.map(({ name, type }) => [name, typeOf(Array.isArray(type) ? type[1] : type)]);
  const columns: Columns = Object.fromEntries(types.filter(([, type]) => type !== undefined));
  return isDeepStrictEqual(userSchema(columns).fields, fields) ? columns : undefined;
}

function typeOf(avro: unknown): ColumnType | undefined {
  const names = Object.keys(COLUMN_TYPES) as ColumnType[];
  return names.find((name) => isDeepStrictEqual(COLUMN_TYPES[name].avro, avro));
}

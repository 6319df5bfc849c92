import avro from 'avsc';
import { PREFIX_BYTES, userSchema, writePrefix } from '../lib/avro.ts';
import type { Columns } from '../lib/columns.ts';
import { USER_COLUMNS, type UserColumn } from '../lib/user.ts';

/** A user as the Avro record holds it: text as it is, timestamps as milliseconds since 1970. */
export type AvroUser = { id: string } & { [column in Exclude<UserColumn, 'id'>]: string | number | null };

export const USER_SCHEMA = userSchema(USER_COLUMNS);

const types = new Map<Columns, avro.Type>();

function typeOf(columns: Columns): avro.Type {
  const type = types.get(columns) ?? avro.Type.forSchema(userSchema(columns) as avro.Schema);
  types.set(columns, type);
  return type;
}

/** The record of `user` in Confluent's wire format under `schemaId`, as another library than the relay's makes it. */
export function encode(schemaId: number, user: AvroUser, columns: Columns = USER_COLUMNS): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  writePrefix(prefix, schemaId);
  return Buffer.concat([prefix, typeOf(columns).toBuffer(user)]);
}

/** Reads a record that was written with the schema of `columns`. */
export function decode(value: Buffer, columns: Columns = USER_COLUMNS) {
  const user: AvroUser & Record<string, unknown> = typeOf(columns).fromBuffer(value.subarray(PREFIX_BYTES));
  return { schemaId: value.readUInt32BE(1), user: { ...user } };
}

/** The Avro record of a row as `pg` gives it, with null for what the row lacks. */
export function toAvroUser(row: Record<string, unknown>): AvroUser {
  const values = Object.keys(USER_COLUMNS).map((column) => {
    const value = row[column] ?? null;
    return [column, value instanceof Date ? value.getTime() : value];
  });
  return Object.fromEntries(values) as AvroUser;
}

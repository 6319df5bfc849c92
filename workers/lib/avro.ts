import avro from 'avsc';
import { USER_COLUMNS, type UserColumn } from './user.ts';

/** A user as the Avro record holds it: text as it is, timestamps as milliseconds since 1970. */
export type AvroUser = { id: string } & { [column in Exclude<UserColumn, 'id'>]: string | number | null };

/** A value that the schema can't hold; the message names the column. */
export class EncodeError extends Error {}

const FIELD_TYPES = {
  uuid: { type: 'string', logicalType: 'uuid' },
  text: 'string',
  timestamp: { type: 'long', logicalType: 'timestamp-millis' },
} as const;

const COLUMNS = Object.keys(USER_COLUMNS) as UserColumn[];

/** The Avro schema of a user: every column a field; all but `id` may be null, and are where a record lacks them. */
export const USER_SCHEMA = {
  type: 'record',
  name: 'User',
  namespace: 'dev.userstream',
  fields: COLUMNS.map((name) => {
    const type = FIELD_TYPES[USER_COLUMNS[name]];
    return name === 'id' ? { name, type } : { name, type: ['null', type], default: null };
  }),
};

const userType = avro.Type.forSchema(USER_SCHEMA as avro.Schema);

/** Bytes before the Avro body in Confluent's wire format: a zero, then the schema's id. */
export const PREFIX_BYTES = 5;
let scratch = Buffer.alloc(64 * 1024);

/**
 * Encodes `user` in Confluent's wire format under `schemaId`.
 * @throws {EncodeError} naming the column whose value doesn't fit.
 */
export function encode(schemaId: number, user: AvroUser): Buffer {
  try {
    let end = userType.encode(user, scratch, PREFIX_BYTES);
    if (end < 0) {
      // avsc answers with how much it lacked.
      scratch = Buffer.alloc(scratch.length - end + 64 * 1024);
      end = userType.encode(user, scratch, PREFIX_BYTES);
    }
    writePrefix(scratch, schemaId);
    return Buffer.from(scratch.subarray(0, end));
  } catch (error) {
    throw new EncodeError(faultOf(user) ?? (error as Error).message, { cause: error });
  }
}

/** Writes the first PREFIX_BYTES of a record. */
export function writePrefix(target: Buffer, schemaId: number): void {
  target.writeUInt8(0, 0);
  target.writeUInt32BE(schemaId, 1);
}

/** Reads what `encode` wrote with the same schema. */
export function decode(value: Buffer): { schemaId: number; user: AvroUser } {
  const user: AvroUser = userType.fromBuffer(value.subarray(PREFIX_BYTES));
  return { schemaId: value.readUInt32BE(1), user: { ...user } };
}

/**
 * The Avro record of a row as `pg` gives it (timestamps as Date).
 * @throws {EncodeError} on a timestamp that has no milliseconds, as `infinity`.
 */
export function toAvroUser(row: Record<string, unknown>): AvroUser {
  const user: Record<string, unknown> = {};
  for (const column of COLUMNS) {
    const value = row[column] ?? null;
    user[column] = value instanceof Date ? value.getTime() : value;
  }
  return user as AvroUser;
}

function faultOf(user: AvroUser): string | undefined {
  let fault: string | undefined;
  userType.isValid(user, {
    errorHook: (path, value) => {
      fault ??= `${path[0] ?? 'the user'}: ${String(value).slice(0, 100)} does not fit the schema`;
    },
  });
  return fault;
}

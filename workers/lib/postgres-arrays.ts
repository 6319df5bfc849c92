import type { ColumnType } from './columns.ts';

/** A value as a row holds it: moments as ISO texts, whole numbers of 64 bits as texts. */
export type ColumnValue = string | number | boolean | null;

/** The object ids of the types in Postgres (pg_type.dat), which an array names its elements by. */
const OIDS: Record<ColumnType, number> = {
  uuid: 2950,
  text: 25,
  timestamp: 1184,
  bigint: 20,
  double: 701,
  boolean: 16,
};

/** Bytes of a value; of a text they depend on it. */
const SIZES: Record<Exclude<ColumnType, 'text'>, number> = {
  uuid: 16,
  timestamp: 8,
  bigint: 8,
  double: 8,
  boolean: 1,
};

const HEADER = 20;
/** Postgres counts moments in microseconds from the year 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** Writes a value and answers how many bytes it took. */
type Write = (value: string | number | boolean, to: Buffer, at: number) => number;

const WRITES: Record<ColumnType, Write> = {
  uuid: (value, to, at) => to.write(String(value).replaceAll('-', ''), at, 'hex'),
  text: (value, to, at) => to.write(String(value), at),
  timestamp: (value, to, at) =>
    to.writeBigInt64BE(BigInt(Date.parse(String(value)) - EPOCH_MS) * 1000n, at) - at,
  bigint: (value, to, at) => to.writeBigInt64BE(BigInt(value), at) - at,
  double: (value, to, at) => to.writeDoubleBE(Number(value), at) - at,
  boolean: (value, to, at) => to.writeUInt8(Number(value), at) - at,
};

/** At most: a UTF-16 unit takes three bytes at most. */
function sizeOf(type: ColumnType, value: ColumnValue): number {
  if (value === null) return 0;
  return type === 'text' ? 3 * String(value).length : SIZES[type];
}

/**
 * The values of a column as an array in the form in which Postgres receives it (array_recv in arrayfuncs.c): a parameter
 * that `pg` sends as it is. The server parses a text, or JSON, for several times as long.
 */
export function binaryArray(type: ColumnType, values: readonly ColumnValue[]): Buffer {
  const size = values.reduce<number>((sum, value) => sum + 4 + sizeOf(type, value), HEADER);
  const array = Buffer.allocUnsafe(size);
  const dimensions = values.length > 0 ? 1 : 0;
  for (const [index, word] of [
    dimensions,
    Number(values.includes(null)),
    OIDS[type],
    values.length,
    1,
  ].entries())
    array.writeInt32BE(word, 4 * index);
  if (dimensions === 0) return array.subarray(0, 12);
  const write = WRITES[type];
  let at = HEADER;
  for (const value of values) {
    const length = value === null ? -1 : write(value, array, at + 4);
    array.writeInt32BE(length, at);
    at += 4 + Math.max(0, length);
  }
  return array.subarray(0, at);
}

import { types } from 'pg';
import { EncodeError, PREFIX_BYTES, writePrefix } from '../lib/avro.ts';
import type { Columns, ColumnType } from '../lib/columns.ts';
import type { Row } from './row.ts';

/** Session settings that make the texts of values the same on every server. */
export const VALUE_SETTINGS = '-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=1';

type Column = { name: string; type: ColumnType; place: number; nullable: boolean };

/** At most these many bytes stand beside a value: which of null and itself it is, and its length. */
const OVERHEAD = 12;
const parseTimestamp = types.getTypeParser(types.builtins.TIMESTAMPTZ);
let scratch = Buffer.alloc(64 * 1024);

/**
 * Writes rows of one table as Avro, from the bytes of Postgres to the bytes of the record: text is UTF-8 in both, so
 * that most of a row is copied and never becomes a string.
 */
export class RowEncoder {
  readonly #columns: readonly Column[];

  /**
   * @param columns those of the Avro schema, in its order; all but `id` are unions with null
   * @param placeOf where a column stands in the rows; -1 where they lack it
   */
  constructor(columns: Columns, placeOf: (name: string, type: ColumnType) => number) {
    this.#columns = Object.entries(columns).map(([name, type]) => ({
      name,
      type,
      place: placeOf(name, type),
      nullable: name !== 'id',
    }));
  }

  /**
   * The record of `row` in Confluent's wire format under `schemaId`; a column that the table lacks is null.
   * @throws {EncodeError} on a timestamp that has no milliseconds, as `infinity`.
   */
  encode(row: Row, schemaId: number): Buffer {
    const most = PREFIX_BYTES + row.length + this.#columns.length * OVERHEAD;
    if (scratch.length < most) scratch = Buffer.alloc(most * 2);
    writePrefix(scratch, schemaId);
    let end = PREFIX_BYTES;
    for (const column of this.#columns) end = writeColumn(column, row, end);
    return Buffer.from(scratch.subarray(0, end));
  }
}

function writeColumn({ name, type, place, nullable }: Column, row: Row, offset: number): number {
  if (nullable) {
    const present = place >= 0 && !row.isNull(place);
    scratch[offset] = present ? 2 : 0;
    if (!present) return offset + 1;
  }
  const at = nullable ? offset + 1 : offset;
  if (type === 'timestamp') return writeLong(millisOf(row, place, name), at);
  if (type === 'bigint') return writeBigint(row.text(place), at);
  if (type === 'double') return scratch.writeDoubleLE(Number(row.text(place)), at);
  if (type === 'boolean') return scratch.writeUInt8(row.byte(place, 0) === TRUE ? 1 : 0, at);
  const size = row.size(place);
  const begin = writeLong(size, at);
  row.copy(place, scratch, begin);
  return begin + size;
}

/** Twice a number of so many digits is one that a number holds exactly. */
const EXACT_DIGITS = 15;

function writeBigint(text: string, offset: number): number {
  if (text.length <= EXACT_DIGITS) return writeLong(Number(text), offset);
  const value = BigInt(text);
  let [rest, at] = [BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)), offset];
  while (rest > 0x7fn) {
    at = scratch.writeUInt8(Number(rest & 0x7fn) | 0x80, at);
    rest >>= 7n;
  }
  return scratch.writeUInt8(Number(rest), at);
}

/** Avro's variable-length zigzag, by division because bits end at 32. */
function writeLong(value: number, offset: number): number {
  let [rest, at] = [value < 0 ? -2 * value - 1 : 2 * value, offset];
  while (rest > 0x7f) {
    scratch[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    at += 1;
  }
  scratch[at] = rest;
  return at + 1;
}

const [ZERO, DASH, PLUS, DOT, TRUE] = [0x30, 0x2d, 0x2b, 0x2e, 0x74];
const SECONDS_END = '2000-01-01 00:00:00'.length;

/** The milliseconds since 1970 of a timestamp as Postgres writes it in ISO style and UTC. */
function millisOf(row: Row, place: number, name: string): number {
  const digits = (from: number, count: number) => {
    let number = 0;
    for (let at = from; at < from + count; at += 1) number = number * 10 + row.byte(place, at) - ZERO;
    return number;
  };
  const zone = row.size(place) - '+00'.length;
  const year = digits(0, 4);
  // Years before 100, of five digits, before Christ, and infinity: rare, and left to the library.
  const plain = year >= 100 && row.byte(place, 4) === DASH && row.byte(place, zone) === PLUS;
  if (!plain) return rareMillisOf(row.text(place), name);
  const fraction = row.byte(place, SECONDS_END) === DOT ? zone - SECONDS_END - 1 : 0;
  const millis = digits(SECONDS_END + 1, Math.min(fraction, 3)) * 10 ** (3 - Math.min(fraction, 3));
  const [month, day, hour] = [digits(5, 2), digits(8, 2), digits(11, 2)];
  return Date.UTC(year, month - 1, day, hour, digits(14, 2), digits(17, 2), millis);
}

function rareMillisOf(text: string, name: string): number {
  const millis = Number(parseTimestamp(text));
  if (Number.isFinite(millis)) return millis;
  throw new EncodeError(`${name}: ${text} does not fit the schema`);
}

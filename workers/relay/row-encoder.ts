import { PREFIX_BYTES, writePrefix } from '../lib/avro.ts';
import type { Columns, ColumnType } from '../lib/columns.ts';
import type { Row } from './row.ts';

/** Session settings that make the texts of values the same on every server. */
export const VALUE_SETTINGS = '-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=1';

/** A broker closes the connection on a request of 100 MiB (`socket.request.max.bytes`), without a word of why. */
const MAX_VALUE_BYTES = 64 * 2 ** 20;

/** The values of a row are more than any record can hold. */
export class RowTooLarge extends Error {
  constructor(bytes: number) {
    super(`${bytes} bytes; no record has more than ${MAX_VALUE_BYTES}`);
  }
}

type Column = { type: ColumnType; place: number; nullable: boolean };

/** At most these many bytes stand beside a value: which of null and itself it is, and its length. */
const OVERHEAD = 12;
/** Which of null and itself a value is. */
const [NULL, VALUE] = [0, 2];
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
      type,
      place: placeOf(name, type),
      nullable: name !== 'id',
    }));
  }

  /**
   * The record of `row` in Confluent's wire format under `schemaId`. Null are a column that the table lacks, and a
   * timestamp that no moment of JavaScript's is: `infinity`, and what lies past the year 275760.
   * @throws {RowTooLarge} before it takes memory for what no record can hold
   */
  encode(row: Row, schemaId: number): Buffer {
    const bytes = this.#bytesOf(row);
    if (bytes > MAX_VALUE_BYTES) throw new RowTooLarge(bytes);
    const most = PREFIX_BYTES + bytes + this.#columns.length * OVERHEAD;
    if (scratch.length < most) scratch = Buffer.alloc(most);
    writePrefix(scratch, schemaId);
    let end = PREFIX_BYTES;
    for (const column of this.#columns) end = writeColumn(column, row, end);
    return Buffer.from(scratch.subarray(0, end));
  }

  /** The bytes of the values that go into the record, as texts. */
  #bytesOf(row: Row): number {
    let bytes = 0;
    for (const { place } of this.#columns) if (place >= 0 && !row.isNull(place)) bytes += row.size(place);
    return bytes;
  }
}

function writeColumn({ type, place, nullable }: Column, row: Row, offset: number): number {
  if (!nullable) return writeText(row, place, offset);
  if (place < 0 || row.isNull(place)) return writeNull(offset);
  scratch[offset] = VALUE;
  const at = offset + 1;
  if (type === 'timestamp') {
    const millis = millisOf(row, place);
    return Number.isNaN(millis) ? writeNull(offset) : writeLong(millis, at);
  }
  if (type === 'bigint') return writeBigint(row.text(place), at);
  if (type === 'double') return scratch.writeDoubleLE(Number(row.text(place)), at);
  if (type === 'boolean') return scratch.writeUInt8(row.byte(place, 0) === TRUE ? 1 : 0, at);
  return writeText(row, place, at);
}

function writeNull(offset: number): number {
  scratch[offset] = NULL;
  return offset + 1;
}

function writeText(row: Row, place: number, offset: number): number {
  const size = row.size(place);
  const begin = writeLong(size, offset);
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

/** The milliseconds since 1970 of a timestamp as Postgres writes it in ISO style and UTC; NaN where JavaScript has none. */
function millisOf(row: Row, place: number): number {
  const digits = (from: number, count: number) => {
    let number = 0;
    for (let at = from; at < from + count; at += 1) number = number * 10 + row.byte(place, at) - ZERO;
    return number;
  };
  const zone = row.size(place) - '+00'.length;
  const year = digits(0, 4);
  // Years before 100, of five digits, before Christ, and infinity are rare.
  const plain = year >= 100 && row.byte(place, 4) === DASH && row.byte(place, zone) === PLUS;
  if (!plain) return rareMillisOf(row.text(place));
  const fraction = row.byte(place, SECONDS_END) === DOT ? zone - SECONDS_END - 1 : 0;
  const millis = digits(SECONDS_END + 1, Math.min(fraction, 3)) * 10 ** (3 - Math.min(fraction, 3));
  const [month, day, hour] = [digits(5, 2), digits(8, 2), digits(11, 2)];
  return Date.UTC(year, month - 1, day, hour, digits(14, 2), digits(17, 2), millis);
}

const TIMESTAMP = /^(\d+)-(\d\d)-(\d\d) ([\d:]+(?:\.\d+)?)\+00( BC)?$/;

function rareMillisOf(text: string): number {
  const [, year, month, day, time, isBc] = TIMESTAMP.exec(text) ?? [];
  if (year === undefined) return Number.NaN;
  const moment = new Date(`1970-01-01T${time}Z`);
  // There is no year 0. Date.UTC would take a year below 100 for one of the last century.
  return moment.setUTCFullYear(isBc ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day));
}

import type { Row } from './row.ts';

/** A value that is null, and one that the WAL leaves out because the update left it alone; as a value's end. */
const NULL = -1;
const UNCHANGED = -2;

const [KIND_NULL, KIND_UNCHANGED, KIND_TEXT] = [0x6e, 0x75, 0x74];

/**
 * The values of one row as a WAL message holds them: text in UTF-8, in the order of the table's columns. They are read
 * in place and stand until the next `read`, so that a row costs no objects.
 */
export class Tuple implements Row {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  /** False when the WAL leaves a value out. */
  isWhole = true;

  /**
   * Reads pgoutput's TupleData, which begins at `offset`.
   * @returns the offset behind it.
   * @throws {RangeError} on a value that isn't text.
   */
  read(bytes: Buffer, offset: number): number {
    const columns = bytes.readUInt16BE(offset);
    let at = offset + 2;
    this.isWhole = true;
    this.#bytes = bytes;
    for (let column = 0; column < columns; column += 1) {
      const kind = bytes[at];
      at += 1;
      if (kind === KIND_TEXT) {
        this.#starts[column] = at + 4;
        at += 4 + bytes.readInt32BE(at);
        this.#ends[column] = at;
      } else this.#ends[column] = this.#absent(kind);
    }
    return at;
  }

  #absent(kind: number | undefined): number {
    if (kind === KIND_NULL) return NULL;
    if (kind !== KIND_UNCHANGED) throw new RangeError(`a value of kind ${kind} in the WAL is not text`);
    this.isWhole = false;
    return UNCHANGED;
  }

  /** Takes what the WAL left out from `old`, a whole row of the same message. */
  completeFrom(old: Tuple): void {
    for (const [column, end] of this.#ends.entries()) {
      if (end !== UNCHANGED) continue;
      this.#starts[column] = old.#starts[column] ?? 0;
      this.#ends[column] = old.#ends[column] ?? NULL;
    }
  }

  isNull(column: number): boolean {
    return this.#ends[column] === NULL;
  }

  size(column: number): number {
    return (this.#ends[column] ?? 0) - (this.#starts[column] ?? 0);
  }

  text(column: number): string {
    return this.#bytes.toString('utf8', this.#starts[column], this.#ends[column]);
  }

  copy(column: number, target: Buffer, offset: number): void {
    this.#bytes.copy(target, offset, this.#starts[column], this.#ends[column]);
  }

  byte(column: number, index: number): number {
    return this.#bytes[(this.#starts[column] ?? 0) + index] ?? 0;
  }
}

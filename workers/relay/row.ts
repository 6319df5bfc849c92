/** The values of one row, as Postgres writes them in text, by the place of their column. */
export type Row = {
  isNull(place: number): boolean;
  /** The bytes of a value that is there. */
  size(place: number): number;
  text(place: number): string;
  /** Copies a value that is there to `target` at `offset`. */
  copy(place: number, target: Buffer, offset: number): void;
  /** The byte at `index` of a value that is there. */
  byte(place: number, index: number): number;
};

/** A row of a query whose columns were all cast to text. */
export class TextRow implements Row {
  readonly #values: readonly (Buffer | null)[];

  constructor(texts: readonly (string | null)[]) {
    this.#values = texts.map((text) => (text === null ? null : Buffer.from(text)));
  }

  isNull(place: number): boolean {
    return this.#values[place] === null;
  }

  size(place: number): number {
    return this.#values[place]?.length ?? 0;
  }

  text(place: number): string {
    return String(this.#values[place] ?? '');
  }

  copy(place: number, target: Buffer, offset: number): void {
    this.#values[place]?.copy(target, offset);
  }

  byte(place: number, index: number): number {
    return this.#values[place]?.[index] ?? 0;
  }
}

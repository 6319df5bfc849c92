import { type Change, ChangeReader } from './changes.ts';
import { type Lsn, versionOf } from './lsn.ts';
import type { Schema } from './schema.ts';

export type ReaderOptions = {
  epoch: number;
  schema: Pick<Schema, 'columns' | 'asOf'>;
  add(change: Change): void;
  /** All that was committed before `lsn` has been added. */
  mark(lsn: Lsn): void;
};

// The bytes by which pgoutput tells its messages apart, and where a message has what is read of it.
const [BEGIN, COMMIT, RELATION] = [0x42, 0x43, 0x52];
const BEGIN_TIME = 9;
const COMMIT_END = 10;
/** Postgres counts microseconds since 2000. */
const POSTGRES_BEGAN_MS = Date.UTC(2000, 0);

/** Turns WAL messages into changes, and knows at which positions nothing is half read. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #changes: ChangeReader;
  #inTransaction = false;
  #committedAt = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    const { columns, asOf } = options.schema;
    this.#changes = new ChangeReader(columns, versionOf(options.epoch, asOf));
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** The commit time of the transaction that was read last, in milliseconds since 1970. */
  get committedAt(): number {
    return this.#committedAt;
  }

  /** Takes in a message of pgoutput; `lsn` is the start of its own WAL record. */
  onMessage(bytes: Buffer, lsn: Lsn): void {
    const tag = bytes[0];
    if (tag === BEGIN) {
      this.#inTransaction = true;
      this.#committedAt = POSTGRES_BEGAN_MS + Number(bytes.readBigInt64BE(BEGIN_TIME) / 1000n);
    } else if (tag === COMMIT) {
      this.#inTransaction = false;
      this.#options.mark(bytes.readBigUInt64BE(COMMIT_END));
    } else if (tag === RELATION) {
      this.#changes.describe(bytes);
    } else {
      const version = versionOf(this.#options.epoch, lsn);
      for (const change of this.#changes.read(bytes, version, this.#committedAt)) this.#options.add(change);
    }
  }

  /** An idle table must not make the server keep WAL: with nothing half read, all before `lsn` has been sent. */
  onKeepalive(lsn: Lsn): void {
    if (!this.#inTransaction) this.#options.mark(lsn);
  }
}

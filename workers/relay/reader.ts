import type { KafkaRecord } from '../lib/kafka.ts';
import { type Change, ChangeReader, type ReaderSchema } from './changes.ts';
import { COMMITTED_UNDER } from './history.ts';
import { type Lsn, versionOf } from './lsn.ts';
import { Versions } from './versions.ts';

export type ReaderOptions = {
  epoch: number;
  /** All that was committed before has been published already. */
  from: Lsn;
  schema: ReaderSchema;
  /** Makes the record of a change, before the next message is read. */
  recordOf(change: Change): KafkaRecord;
  /** Takes the records, each with its version. */
  add(record: KafkaRecord): void;
  /** All that was committed before `lsn` has been added. */
  mark(lsn: Lsn): void;
};

// The bytes by which pgoutput tells its messages apart, and where a message has what is read of it.
const [BEGIN, COMMIT, RELATION] = [0x42, 0x43, 0x52];
const BEGIN_COMMIT_LSN = 1;
const BEGIN_TIME = 9;
const COMMIT_START = 2;
const COMMIT_END = 10;
/** Postgres counts microseconds since 2000. */
const POSTGRES_BEGAN_MS = Date.UTC(2000, 0);

/** Turns WAL messages into records, and knows at which positions nothing is half read. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #changes: ChangeReader;
  readonly #versions: Versions;
  #inTransaction = false;
  #committedAt = 0;
  #commitLsn: Lsn = 0n;
  #marked: Lsn;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#marked = options.from;
    this.#changes = new ChangeReader(options.schema);
    this.#versions = new Versions(options);
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
      this.#commitLsn = bytes.readBigUInt64BE(BEGIN_COMMIT_LSN);
      this.#committedAt = POSTGRES_BEGAN_MS + Number(bytes.readBigInt64BE(BEGIN_TIME) / 1000n);
    } else if (tag === COMMIT) {
      this.#inTransaction = false;
      this.#versions.endBefore(bytes.readBigUInt64BE(COMMIT_START));
      this.#mark(bytes.readBigUInt64BE(COMMIT_END));
    } else if (tag === RELATION) {
      this.#changes.describe(bytes);
    } else {
      for (const change of this.#changes.read(bytes, lsn, this.#committedAt)) this.#take(change, lsn);
    }
  }

  #take(change: Change, lsn: Lsn): void {
    const record = this.#options.recordOf(change);
    // By its version a record of a long transaction would lie before what was published, and acknowledged, while that was open.
    if (lsn < this.#marked)
      record.headers[COMMITTED_UNDER] = String(versionOf(this.#options.epoch, this.#commitLsn));
    if (change.isNew) this.#versions.began(record, lsn);
    else this.#versions.changed(record, lsn);
  }

  /** An idle table must not make the server keep WAL: with nothing half read, all before `lsn` has been sent. */
  onKeepalive(lsn: Lsn): void {
    if (!this.#inTransaction) this.#mark(lsn);
  }

  #mark(lsn: Lsn): void {
    if (lsn > this.#marked) this.#marked = lsn;
    this.#options.mark(lsn);
  }
}

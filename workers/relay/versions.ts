import type { KafkaRecord } from '../lib/kafka.ts';
import { type Lsn, versionOf } from './lsn.ts';
import { sizeOf, versioned } from './records.ts';

// Postgres writes a new row to the WAL before it checks its key, and there waits for whoever deletes the old one: the
// delete may stand behind the row that follows it. What stands behind the check is what the transaction wrote next. Only
// COPY writes more before it checks: 1000 rows at most; as text, also no more than end with the one that makes 64 KiB. What
// is a batch of a binary COPY doesn't show: of rows larger than 8 KiB it may be more than is held back here.
const COPIED_ROWS = 1000;
const COPIED_BYTES = COPIED_ROWS * 8 * 1024;

type Options = { epoch: number; add(record: KafkaRecord): void };

/** Some new rows that follow on each other in one transaction. */
type Run = { records: KafkaRecord[]; bytes: number };

/**
 * Gives the records of a transaction their versions, and hands them on in their order. A row that stood before has its LSN.
 * A new one has the position before the next change that was surely written after its key was checked; before the commit,
 * where none follows. Two runs of new rows are held back at most.
 */
export class Versions {
  readonly #options: Options;
  #older = emptyRun();
  #newer = emptyRun();
  #lastLsn: Lsn = 0n;

  constructor(options: Options) {
    this.#options = options;
  }

  /** A row that stood before was changed, or is gone. */
  changed(record: KafkaRecord, lsn: Lsn): void {
    this.endBefore(lsn);
    this.#options.add(versioned(record, versionOf(this.#options.epoch, lsn)));
  }

  /** A row begins. */
  began(record: KafkaRecord, lsn: Lsn): void {
    // Rows of one LSN stay in one run: the next run's first LSN lies above all of them.
    if (isFull(this.#newer) && lsn > this.#lastLsn) {
      this.#release(this.#older, lsn);
      this.#older = this.#newer;
      this.#newer = emptyRun();
    }
    this.#newer.records.push(record);
    this.#newer.bytes += sizeOf(record);
    this.#lastLsn = lsn;
  }

  /** All rows that began are checked before `lsn`, where the transaction commits or does something else. */
  endBefore(lsn: Lsn): void {
    if (this.#newer.records.length === 0) return;
    this.#release(this.#older, lsn);
    this.#release(this.#newer, lsn);
    this.#older = emptyRun();
    this.#newer = emptyRun();
  }

  #release({ records }: Run, lsn: Lsn): void {
    if (records.length === 0) return;
    const version = versionOf(this.#options.epoch, lsn - 1n);
    for (const record of records) this.#options.add(versioned(record, version));
  }
}

function emptyRun(): Run {
  return { records: [], bytes: 0 };
}

function isFull({ records, bytes }: Run): boolean {
  return records.length >= COPIED_ROWS || bytes >= COPIED_BYTES;
}

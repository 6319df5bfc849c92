import type { Pgoutput } from 'pg-logical-replication';
import { type Change, changesOf } from './changes.ts';
import { type Lsn, parseLsn, versionOf } from './lsn.ts';

export type ReaderOptions = {
  epoch: number;
  add(change: Change): void;
  /** All that was committed before `lsn` has been added. */
  mark(lsn: Lsn): void;
};

/** Turns WAL messages into changes, and knows at which positions nothing is half read. */
export class Reader {
  readonly #options: ReaderOptions;
  #inTransaction = false;
  #committedAt = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** The commit time of the transaction that was read last, in milliseconds since 1970. */
  get committedAt(): number {
    return this.#committedAt;
  }

  onMessage(message: Pgoutput.Message, lsn: Lsn): void {
    if (message.tag === 'begin') {
      this.#inTransaction = true;
      this.#committedAt = Number((message.commitTime as bigint) / 1000n);
    } else if (message.tag === 'commit') {
      this.#inTransaction = false;
      if (message.commitEndLsn) this.#options.mark(parseLsn(message.commitEndLsn));
    } else {
      const version = versionOf(this.#options.epoch, lsn);
      for (const change of changesOf(message, version, this.#committedAt)) this.#options.add(change);
    }
  }

  /** An idle table must not make the server keep WAL: with nothing half read, all before `lsn` has been sent. */
  onKeepalive(lsn: Lsn): void {
    if (!this.#inTransaction) this.#options.mark(lsn);
  }
}

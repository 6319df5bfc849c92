import type { KafkaRecord } from '../lib/kafka.ts';
import type { Lsn } from './lsn.ts';
import { sizeOf } from './records.ts';

export type OutboxOptions = {
  /** The position up to which everything has been published already. */
  confirmed: Lsn;
  send(records: readonly KafkaRecord[]): Promise<void>;
  /** Called when the position that may be acknowledged has moved on. */
  onConfirmed(lsn: Lsn): void;
  /** Called with true when no more should be added for now, with false when there is room again. */
  onPressure(full: boolean): void;
  onError(error: unknown): void;
  maxBytes?: number;
};

/** Well below what the topic takes in one batch, even if all of it goes to one partition. */
const MAX_BYTES = 512 * 1024;

/**
 * Records on their way to Kafka: one batch in flight, the next one gathering behind it. A position is confirmed only
 * when every record added before it was marked has been acknowledged. After an error nothing is sent any more.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #maxBytes: number;
  #waiting: KafkaRecord[] = [];
  #waitingBytes = 0;
  #added = 0;
  /** The positions to be confirmed, in their order, each with how many records were added before it. */
  #marks: { lsn: Lsn; added: number }[] = [];
  #confirmed: Lsn;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#confirmed = options.confirmed;
  }

  get confirmed(): Lsn {
    return this.#confirmed;
  }

  get idle(): boolean {
    return this.#running === undefined && this.#waiting.length === 0;
  }

  add(record: KafkaRecord): void {
    this.#waiting.push(record);
    this.#added += 1;
    const before = this.#waitingBytes;
    this.#waitingBytes += sizeOf(record);
    if (before < this.#maxBytes && this.#waitingBytes >= this.#maxBytes) this.#options.onPressure(true);
    this.#start();
  }

  /** Says that all that stands in the WAL before `lsn` has been added. */
  mark(lsn: Lsn): void {
    const last = this.#marks.at(-1);
    if (lsn <= (last?.lsn ?? this.#confirmed)) return;
    if (last?.added === this.#added) last.lsn = lsn;
    else this.#marks.push({ lsn, added: this.#added });
    this.#start();
  }

  /** Sends nothing more; resolves when the batch that is in flight has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.drain();
  }

  /** Resolves when all that was added is published, or nothing more is sent. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #start(): void {
    if (this.#running || this.#stopped) return;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    try {
      // What arrives in the same chunk of the stream goes into the same batch.
      await new Promise(setImmediate);
      while (!this.#stopped && (this.#waiting.length > 0 || this.#marks.length > 0))
        await this.#sendWaiting();
    } catch (error) {
      this.#stopped = true;
      this.#options.onError(error);
    } finally {
      this.#running = undefined;
    }
  }

  async #sendWaiting(): Promise<void> {
    const batch = this.#take();
    const published = this.#added - this.#waiting.length;
    if (batch.length > 0) await this.#options.send(batch);
    const reached = this.#marks.findLastIndex(({ added }) => added <= published);
    const confirmed = this.#marks.splice(0, reached + 1).at(-1)?.lsn;
    if (confirmed === undefined) return;
    this.#confirmed = confirmed;
    this.#options.onConfirmed(confirmed);
  }

  /** The next batch, which ends with the record that passes the limit: a transaction's end may add many limits at once. */
  #take(): KafkaRecord[] {
    let [count, bytes] = [0, 0];
    for (const record of this.#waiting) {
      if (bytes >= this.#maxBytes) break;
      bytes += sizeOf(record);
      count += 1;
    }
    const wasFull = this.#waitingBytes >= this.#maxBytes;
    this.#waitingBytes -= bytes;
    if (wasFull && this.#waitingBytes < this.#maxBytes) this.#options.onPressure(false);
    return this.#waiting.splice(0, count);
  }
}

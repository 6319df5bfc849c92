import { hash } from 'node:crypto';
import { fingerprint, type Row } from './row.ts';

const BITS = 20;

/** Which side a row was read from. */
export type Side = 'postgres' | 'cassandra';

/**
 * Ids by bucket: of each the difference of the two sides' counts and of the sums (exclusive or) of their rows'
 * fingerprints, whatever order they were read in. Equal rows leave nothing behind. 12 MiB, however many rows there are.
 */
export class Buckets {
  readonly #counts = new Int32Array(2 ** BITS);
  readonly #high = new Int32Array(2 ** BITS);
  readonly #low = new Int32Array(2 ** BITS);

  add(side: Side, row: Row): void {
    const bucket = bucketOf(row.id);
    const print = fingerprint(row);
    this.#counts[bucket] = at(this.#counts, bucket) + (side === 'postgres' ? 1 : -1);
    this.#high[bucket] = at(this.#high, bucket) ^ print.readInt32BE(0);
    this.#low[bucket] = at(this.#low, bucket) ^ print.readInt32BE(4);
  }

  /** Whether the sides differ in the bucket of `id`. */
  differs(id: string): boolean {
    return this.#differs(bucketOf(id));
  }

  /** In how many buckets the sides differ. */
  get differing(): number {
    let count = 0;
    for (let bucket = 0; bucket < 2 ** BITS; bucket += 1) if (this.#differs(bucket)) count += 1;
    return count;
  }

  #differs(bucket: number): boolean {
    return (at(this.#counts, bucket) | at(this.#high, bucket) | at(this.#low, bucket)) !== 0;
  }
}

/** By a hash, because ids may share their beginning or their end. */
function bucketOf(id: string): number {
  return hash('md5', id, 'buffer').readUInt32BE(0) >>> (32 - BITS);
}

const at = (numbers: Int32Array, index: number) => numbers[index] ?? 0;

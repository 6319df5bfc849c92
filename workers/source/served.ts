import type { Nationality } from './nationalities.ts';
import { type SourceUser, sourceUser } from './users.ts';

type Range = { from: number; to: number };
type Sequence = { seed: string; nationalities: readonly Nationality[]; ranges: Range[] };

/** Remembers which users were served, as ranges of their sequences: a user's fields follow from his number. */
export class Served {
  readonly #sequences = new Map<string, Sequence>();

  add(seed: string, nationalities: readonly Nationality[], range: Range): void {
    if (range.from >= range.to) return;
    const key = JSON.stringify([seed, nationalities.map(({ nat }) => nat)]);
    const sequence = this.#sequences.get(key) ?? { seed, nationalities, ranges: [] };
    sequence.ranges = union([...sequence.ranges, range]);
    this.#sequences.set(key, sequence);
  }

  count(): number {
    let users = 0;
    for (const { ranges } of this.#sequences.values()) for (const { from, to } of ranges) users += to - from;
    return users;
  }

  /** Every user that was served, once, with all of his fields. */
  *users(): Generator<SourceUser> {
    for (const { seed, nationalities, ranges } of this.#sequences.values()) {
      for (const { from, to } of ranges) {
        for (let index = from; index < to; index += 1) yield sourceUser(seed, nationalities, index);
      }
    }
  }
}

function union(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else merged.push({ ...range });
  }
  return merged;
}

import { NATIONALITIES, type Nationality, parseNationalities } from './nationalities.ts';
import { type SourceUser, sourceUser } from './users.ts';

type Range = { from: number; to: number };

/** Users of one sequence that were served. `nat` is what a query would say, empty for all nationalities. */
export type ServedRange = Range & { seed: string; nat: string };

/**
 * Remembers which users were served, as ranges of their sequences: a user's fields follow from his number. A request
 * without a seed is a sequence of its own; the limit bounds how many of those there are.
 */
export class Served {
  readonly #sequences = new Map<string, Range[]>();
  readonly #note: (range: ServedRange) => void;

  /** `note` hears of every range that adds a user. */
  constructor(note: (range: ServedRange) => void = () => {}) {
    this.#note = note;
  }

  add(seed: string, nationalities: readonly Nationality[], { from, to }: Range): void {
    const isAll = nationalities.length === NATIONALITIES.length;
    const range = { seed, nat: isAll ? '' : nationalities.map(({ nat }) => nat).join(), from, to };
    if (this.restore(range)) this.#note(range);
  }

  /** Takes in what was noted before. @returns whether that adds a user. */
  restore({ seed, nat, from, to }: ServedRange): boolean {
    const key = JSON.stringify([seed, nat]);
    const ranges = this.#sequences.get(key) ?? [];
    if (from >= to || ranges.some((range) => range.from <= from && to <= range.to)) return false;
    this.#sequences.set(key, union([...ranges, { from, to }]));
    return true;
  }

  count(): number {
    let users = 0;
    for (const { from, to } of this.ranges()) users += to - from;
    return users;
  }

  /** What was served, in as few ranges as it takes. */
  *ranges(): Generator<ServedRange> {
    for (const [key, ranges] of this.#sequences) {
      const [seed, nat] = JSON.parse(key) as [string, string];
      for (const range of ranges) yield { seed, nat, ...range };
    }
  }

  /** Every user that was served, of some seeds or of all, once, with all of his fields. */
  *users(seeds: string[] = []): Generator<SourceUser> {
    for (const { seed, nat, from, to } of this.ranges()) {
      if (seeds.length > 0 && !seeds.includes(seed)) continue;
      const nationalities = parseNationalities(nat);
      for (let index = from; index < to; index += 1) yield sourceUser(seed, nationalities, index);
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

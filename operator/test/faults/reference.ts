import { type Flat, flatten, type State, translator } from './state.ts';

/** What several fault-free runs have in common, by which others are judged. What differs between them is of no account. */
export class Reference {
  readonly #pipeline: string;
  readonly #view: (state: State) => State;
  readonly #kinds: Stems;
  readonly #resources: Stems;
  /** What stands at the end of every run, object by object. */
  readonly #objects: Map<string, Flat>;
  /** The paths that differ between the runs, object by object; of objects that not every run has, none are known. */
  readonly #volatile: Map<string, Set<string>>;
  /** How often something was made or removed, at most. */
  readonly #deeds = new Map<string, number>();

  /** @param view what of a state counts, of these as of those that are judged */
  constructor(all: State[], pipeline: string, view: (state: State) => State = (state) => state) {
    const states = all.map(view);
    this.#pipeline = pipeline;
    this.#view = view;
    this.#kinds = new Stems(
      states.map(({ objects }) => objects.map((each) => [each.kind, each.metadata.name])),
    );
    this.#resources = new Stems(
      states.map(({ deeds }) => deeds.map(({ resource, name }) => [resource, name])),
    );
    const [first = new Map<string, Flat>(), ...others] = states.map((state) => this.#flat(state));
    const everywhere = [...first].filter(([key]) => others.every((other) => other.has(key)));
    this.#objects = new Map(everywhere);
    const unequal = (key: string, flat: Flat) =>
      new Set(others.flatMap((other) => unequalPaths(flat, other.get(key) ?? new Map())));
    const seen = [first, ...others].flatMap((flats) => [...flats]);
    this.#volatile = new Map([
      ...seen.map(([key]): [string, Set<string>] => [key, new Set()]),
      ...everywhere.map(([key, flat]): [string, Set<string>] => [key, unequal(key, flat)]),
    ]);
    for (const [deed, count] of states.flatMap((state) => [...this.#counts(state)])) {
      this.#deeds.set(deed, Math.max(count, this.#deeds.get(deed) ?? 0));
    }
  }

  /** Each way in which a run's end differs, a line each; none where it is the same. */
  differences(whole: State): string[] {
    const state = this.#view(whole);
    const actual = this.#flat(state);
    const missing = [...this.#objects.keys()].filter((key) => !actual.has(key));
    const extra = [...actual.keys()].filter((key) => !this.#volatile.has(key));
    const changed = [...this.#objects].flatMap(([key, flat]) =>
      this.#changes(key, flat, actual.get(key) ?? flat),
    );
    return [
      ...missing.map((key) => `${key} is missing`),
      ...extra.map((key) => `${key} is too much`),
      ...changed,
      ...this.deedDifferences(state),
    ];
  }

  /** What was made or removed more often than in any fault-free run. */
  deedDifferences(state: State): string[] {
    return [...this.#counts(state)]
      .filter(([deed, count]) => count > (this.#deeds.get(deed) ?? 0))
      .map(
        ([deed, count]) => `${deed} ${count} times, at most ${this.#deeds.get(deed) ?? 0} without a fault`,
      );
  }

  #changes(key: string, wanted: Flat, actual: Flat): string[] {
    return unequalPaths(wanted, actual)
      .filter((path) => !this.#volatile.get(key)?.has(path))
      .map(
        (path) => `${key}${path} is ${shown(actual.get(path))}, without a fault ${shown(wanted.get(path))}`,
      );
  }

  /** The objects by a key that is the same in every run: kind, stem of the name, and the order of their making. */
  #flat(state: State): Map<string, Flat> {
    const translate = translator(state, this.#pipeline);
    const groups = Map.groupBy(state.objects, ({ kind, metadata }) => {
      return `${kind}/${this.#kinds.stem(kind, metadata.name)}`;
    });
    return new Map(
      [...groups].flatMap(([key, group]) =>
        group
          .map((object) => ({
            made: object.metadata.creationTimestamp ?? '',
            flat: flatten(object, translate),
          }))
          .sort((a, b) => (order(a.made, a.flat) < order(b.made, b.flat) ? -1 : 1))
          .map(({ flat }, index): [string, Flat] => [group.length > 1 ? `${key}#${index}` : key, flat]),
      ),
    );
  }

  #counts({ deeds }: State): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { verb, resource, name } of deeds) {
      const key = `${verb}d ${resource}/${this.#resources.stem(resource, name)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }
}

/** Names without the parts that are another in each run, as `users-relay-7d9f-x2k` is `users-relay-*-*`. */
class Stems {
  readonly #names: Map<string, Set<string>>[];
  readonly #parts: Map<string, Set<string>>[];

  constructor(runs: [group: string, name: string][][]) {
    this.#names = runs.map((run) => grouped(run));
    this.#parts = runs.map((run) =>
      grouped(run.flatMap(([group, name]) => name.split('-').map((part) => [group, part]))),
    );
  }

  stem(group: string, name: string): string {
    if (inAll(this.#names, group, name)) return name;
    const parts = name.split('-').map((part) => (inAll(this.#parts, group, part) ? part : '*'));
    return parts.join('-');
  }
}

function grouped(pairs: [string, string][]): Map<string, Set<string>> {
  const groups = Map.groupBy(pairs, ([group]) => group);
  return new Map([...groups].map(([group, items]) => [group, new Set(items.map(([, item]) => item))]));
}

function inAll(runs: Map<string, Set<string>>[], group: string, item: string): boolean {
  return runs.every((run) => run.get(group)?.has(item));
}

function unequalPaths(one: Flat, other: Flat): string[] {
  const paths = new Set([...one.keys(), ...other.keys()]);
  return [...paths].filter((path) => one.get(path) !== other.get(path));
}

function order(made: string, flat: Flat): string {
  return made + JSON.stringify([...flat].sort());
}

function shown(value: string | undefined): string {
  if (value === undefined) return 'absent';
  return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}

import { performance } from 'node:perf_hooks';
import { MAIN } from './operator.ts';
import { Random } from './random.ts';
import { Run } from './run.ts';
import { isWrite } from './tap.ts';
import type { World } from './world.ts';

/** One way to do harm: what it tries, and on what. */
export type Kind = { name: string; run(suite: Suite, random: Random): Promise<void> };

export type Divergence = { kind: string; name: string; report: string };

export type Count = { runs: number; faults: number; divergences: number };

export type SuiteOptions = {
  world: World;
  seed: number;
  /** Only a few cases of each kind, and after so long only those without which a kind would have none. */
  sample?: { ms: number };
  /** Only the kinds, and the cases of them, whose names hold these. */
  only?: { kind: string; case?: string };
  /** How many runs are under way at once. */
  slots: number;
  /** The operator's main.ts. */
  main?: string;
  log(line: string): void;
};

export type Attempt = {
  run: Run;
  /** Counts a fault that was injected. */
  harmed(times?: number): void;
  /** Fails the run where there is a line. */
  same(differences: string[]): void;
};

/** The kind that runs without a fault are counted under. */
export const NO_FAULT = 'no fault';

const LEASE_SECONDS = 15;
const SHOWN_REQUESTS = 15;

/** Runs cases, a few at once, and keeps the score. */
export class Suite {
  readonly counts = new Map<string, Count>();
  readonly divergences: Divergence[] = [];
  /** What the kinds have to say beside their counts. */
  readonly notes: string[] = [];
  readonly world: World;
  readonly #options: SuiteOptions;
  readonly #began = performance.now();
  readonly #waiting: (() => void)[] = [];
  readonly #made = new Map<string, Promise<unknown>>();
  #free: number;
  #runs = 0;

  constructor(options: SuiteOptions) {
    this.world = options.world;
    this.#options = options;
    this.#free = options.slots;
  }

  get sampled(): boolean {
    return this.#options.sample !== undefined;
  }

  /** Runs a kind and says how it went; its choices follow from the seed and its name alone. */
  async play(kind: Kind): Promise<void> {
    const count = this.#count(kind.name);
    await kind.run(this, new Random(`${this.#options.seed} ${kind.name}`)).catch((error: Error) => {
      this.#options.log(`  ✗ ${kind.name}: ${error.message}`);
      this.divergences.push({ kind: kind.name, name: 'all of it', report: error.message });
    });
    const { runs, faults, divergences } = count;
    this.#options.log(`= ${kind.name}: ${runs} runs, ${faults} faults injected, ${divergences} divergences`);
  }

  /** Says what a kind has found beside its count, at once and at the end. */
  note(text: string): void {
    this.notes.push(text);
    this.#options.log(text);
  }

  /** Whether a case of that name, or one whose name begins so, is to be played. */
  wants(name: string): boolean {
    const { case: wanted = '' } = this.#options.only ?? {};
    return name.includes(wanted) || wanted.startsWith(name);
  }

  /** What several kinds need is done once. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#made.get(name) as Promise<T> | undefined) ?? make();
    this.#made.set(name, made);
    return made;
  }

  /** All cases, or so many of them as a sample takes. */
  choose<T>(random: Random, cases: T[], few: number): T[] {
    return this.sampled ? random.shuffled(cases).slice(0, few) : cases;
  }

  /**
   * One run of a kind, in a namespace of its own, as soon as there is a slot. What it throws is a divergence.
   * @returns undefined where it failed, or wasn't begun because the sample's time is over
   */
  async attempt<T>(
    kind: string,
    name: string,
    body: (attempt: Attempt) => Promise<T>,
    leaseSeconds = LEASE_SECONDS,
  ): Promise<T | undefined> {
    await this.#take();
    const count = this.#count(kind);
    if (this.#isOver(kind, count) || (kind !== NO_FAULT && !this.wants(name))) return this.#leave();
    const namespace = `run-${++this.#runs}`;
    const { main = MAIN } = this.#options;
    const run = await Run.begin(this.world, { main, namespace, leaseSeconds });
    const began = performance.now();
    try {
      count.runs += 1;
      const harmed = (times = 1) => {
        count.faults += times;
      };
      const result = await body({ run, harmed, same });
      this.#options.log(`  ✓ ${kind}: ${name} (${seconds(began)})`);
      return result;
    } catch (error) {
      count.divergences += 1;
      const report = await this.#report(error, run);
      this.divergences.push({ kind, name, report });
      this.#options.log(`  ✗ ${kind}: ${name} (${seconds(began)})\n${report}`);
      return undefined;
    } finally {
      await run.end();
      this.#leave();
    }
  }

  #count(kind: string): Count {
    const count = this.counts.get(kind) ?? { runs: 0, faults: 0, divergences: 0 };
    this.counts.set(kind, count);
    return count;
  }

  /** However slow the machine is, a sample has one run of each kind, and what that is compared with. */
  #isOver(kind: string, { runs }: Count): boolean {
    const { sample } = this.#options;
    const isLate = sample !== undefined && performance.now() - this.#began > sample.ms;
    return isLate && kind !== NO_FAULT && runs > 0;
  }

  async #take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): undefined {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }

  async #report(error: unknown, run: Run): Promise<string> {
    const requests = run.proxy.sent
      .filter(isWrite)
      .slice(-SHOWN_REQUESTS)
      .map(({ write, by, method, path, code }) => `${write} ${by} ${method} ${path} ${code ?? 'no answer'}`);
    const logs = run.operators.slice(-2).map((operator) => `${operator.name}:\n${operator.log()}`);
    const pipeline = await run.pipeline().catch(() => undefined);
    const parts = [
      `seed ${this.#options.seed}, namespace ${run.namespace}: ${(error as Error).message}`,
      `the resource: ${JSON.stringify(pipeline?.metadata.deletionTimestamp ?? pipeline?.status ?? 'none')}`,
      `the last writes:\n${requests.join('\n')}`,
      `the log of ${logs.join('\n')}`,
    ];
    return parts.join('\n').replaceAll(/^/gm, '      ');
  }
}

function same(differences: string[]): void {
  if (differences.length > 0) throw new Error(`the end is another:\n${differences.slice(0, 20).join('\n')}`);
}

function seconds(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

export type Report = (detail: string) => void;

type Step = { title: string; startedAt: number; seconds?: number };

const REPORT_EVERY_MS = 10_000;

/** Prints steps as they begin and end, with their seconds. Steps may run side by side. */
export class Progress {
  readonly #print: (line: string) => void;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #steps: Step[] = [];

  constructor(print: (line: string) => void = console.log, now: () => number = () => performance.now()) {
    this.#print = print;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Runs `work` as a step. What it reports is printed now and then, so that a long step shows how far it is. */
  async step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
    const step: Step = { title, startedAt: this.#now() };
    this.#steps.push(step);
    this.#print(`  ▸ ${title}`);
    try {
      const result = await work(this.#reporter(step));
      step.seconds = (this.#now() - step.startedAt) / 1000;
      this.#print(`  ✓ ${title} (${seconds(step.seconds)})`);
      return result;
    } catch (error) {
      this.#print(`  ✗ ${title} (${seconds((this.#now() - step.startedAt) / 1000)})`);
      throw error;
    }
  }

  /** Prints a line as it is. */
  say(line: string): void {
    this.#print(line);
  }

  /** The finished steps that took at least a second, and the whole. */
  summary(): string {
    const finished = this.#steps.filter((step) => step.seconds !== undefined && step.seconds >= 1);
    const lines = finished.map((step) => `${seconds(step.seconds ?? 0).padStart(10)}  ${step.title}`);
    const total = seconds((this.#now() - this.#startedAt) / 1000).padStart(10);
    return ['Times (steps overlap):', ...lines, `${total}  in all`].join('\n');
  }

  #reporter(step: Step): Report {
    let lastAt = this.#now();
    return (detail) => {
      if (this.#now() - lastAt < REPORT_EVERY_MS) return;
      lastAt = this.#now();
      this.#print(`    … ${step.title}: ${detail}`);
    };
  }
}

/** Seconds for people: `4.2 s`, `3 min 07 s`. */
export function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

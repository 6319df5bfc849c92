type Spent = { at: number; users: number };

/**
 * A budget of `users` in any span of `perMs`: what is spent comes back one span later, so that no span, wherever it
 * begins, holds more than the budget (a bucket refilled evenly would let twice as much through in its first span).
 */
export class Window {
  readonly #users: number;
  readonly #perMs: number;
  readonly #spent: Spent[] = [];
  #total = 0;

  constructor(budget: { users: number; perMs: number }) {
    this.#users = budget.users;
    this.#perMs = budget.perMs;
  }

  /** How long from `now` until `users` more fit: 0 when they do; as long as the window is when they never will. */
  waitMs(users: number, now: number): number {
    this.#forget(now);
    let excess = this.#total + users - this.#users;
    if (excess <= 0) return 0;
    for (const spent of this.#spent) {
      excess -= spent.users;
      if (excess <= 0) return spent.at + this.#perMs - now;
    }
    return this.#perMs;
  }

  spend(users: number, now: number): void {
    this.#spent.push({ at: now, users });
    this.#total += users;
  }

  #forget(now: number) {
    const kept = this.#spent.findIndex((spent) => spent.at + this.#perMs > now);
    const gone = this.#spent.splice(0, kept < 0 ? this.#spent.length : kept);
    for (const spent of gone) this.#total -= spent.users;
  }
}

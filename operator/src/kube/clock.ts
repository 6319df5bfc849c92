/** Time as the operator sees it; injected, so that tests turn its hands. */
export type Clock = {
  /** Monotonic milliseconds: never steps back, goes on while the process is stopped, but not while the machine is suspended. */
  now(): number;
  /** Calendar time, which goes on while the machine is suspended, but may be set. For what is written into objects. */
  date(): Date;
  /** Runs `callback` after `ms`; the answer cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** A point in time by both of a clock's hands. */
export type Moment = { now: number; date: Date };

export function moment(clock: Clock): Moment {
  return { now: clock.now(), date: clock.date() };
}

/** Milliseconds since, by the hand that has moved further: for what must not last longer, even while the machine is suspended. */
export function elapsed(clock: Clock, since: Moment): number {
  return Math.max(clock.now() - since.now, clock.date().getTime() - since.date.getTime());
}

/** Resolves after `ms`, or at once when `signal` aborts: the caller looks at the signal. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Exponential back-off with jitter: between half of `firstMs·2^failures` and all of it, at most `maxMs`. */
export function backoff(failures: number, firstMs: number, maxMs: number, random: () => number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30));
  return full * (0.5 + random() / 2);
}

/** A Kubernetes Time: whole seconds. */
export function inSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** A Kubernetes MicroTime: six fractional digits, or the API server refuses it. */
export function microTime(date: Date): string {
  return date.toISOString().replace(/Z$/, '000Z');
}

/** A timer that can be set back to its full time. */
export function restartable(
  clock: Clock,
  ms: number,
  callback: () => void,
): { restart(): void; cancel(): void } {
  let cancel = clock.after(ms, callback);
  return {
    restart() {
      cancel();
      cancel = clock.after(ms, callback);
    },
    cancel: () => cancel(),
  };
}

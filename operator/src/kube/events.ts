import { createHash, randomUUID } from 'node:crypto';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { microTime, sleep } from './clock.ts';
import { isAlreadyExists } from './errors.ts';
import { noteOf } from './note.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { refOf } from './object.ts';
import { retried } from './retry.ts';

export type EventText = {
  type: 'Normal' | 'Warning';
  /** CamelCase: why. */
  reason: string;
  /** CamelCase: what the operator was doing. */
  action: string;
  message: string;
};

export type RecorderOptions = {
  client: KubeClient;
  clock: Clock;
  controller: string;
  instance: string;
  /** Whether there is other work, which goes before telling of it. */
  isBusy: () => boolean;
  onError: (error: unknown) => void;
};

/** `isTold`: whether the count is written, or about to be. */
type Series = { ref: ObjectRef; count: number; seen: Date; writtenAt: number; isTold: boolean };
/** What is to be written of the series of a key. */
type Write = { key: string; send: () => Promise<unknown> };
type Allowance = { tokens: number; at: number };

/** A repeat counts into its series for this long after the last write, then begins a new event. */
const SERIES_MS = 6 * 60_000;
/**
 * A series is written at most this often, whatever the rate of repeats. What came since is told with a later repeat, with
 * another event once the series is over, or at the end: a write by the clock would come while all is quiet.
 */
const SERIES_WRITE_MS = 60_000;
/** New events an object may have at once, and how soon one more is allowed: this also bounds how many can wait. */
const BURST = 25;
const REFILL_MS = 60_000;
const PRUNE_MS = 60_000;
/** For so long a recorder that is closed goes on to write what waits. */
const LAST_WORDS_MS = 5_000;
/** Between two events while there is other work. */
const BUSY_MS = 100;

/**
 * Writes events on objects: repeats become one event with a count, and one object can't flood the server. They are written
 * in their order, one at a time, and behind other work: much to tell keeps nobody from it.
 */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #waiting = new Set<Write>();
  readonly #closed = new AbortController();
  #prunedAt = 0;
  #writing: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Has the event written, or counted as a repeat. One that can't be written within a minute is only told to `onError`. */
  record(object: KubeObject, text: EventText): void {
    this.#prune();
    const key = keyOf(object, text);
    const series = this.#series.get(key);
    if (series) this.#repeat(key, series);
    else if (this.#allowed(object.metadata.uid ?? '')) this.#begin(key, object, text);
  }

  /** Resolves when all that is due is written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Writes the counts that aren't told, and resolves when all that was recorded is written, or given up. */
  async close(): Promise<void> {
    for (const [key, series] of this.#series) if (!series.isTold) this.#count(key, series);
    const told = new AbortController();
    const toldAll = this.written().then(() => told.abort());
    await Promise.race([toldAll, sleep(this.#options.clock, LAST_WORDS_MS, told.signal)]);
    this.#closed.abort();
  }

  #begin(key: string, object: KubeObject, text: EventText): void {
    const { client, clock } = this.#options;
    const event = this.#event(object, text);
    const seen = { seen: clock.date(), writtenAt: clock.now(), isTold: true };
    this.#series.set(key, { ref: refOf(event), count: 1, ...seen });
    // Nobody else gives that name: an answer was lost.
    const create = () => client.create(event).catch(unlessExists);
    this.#enqueue({ key, send: create });
  }

  #repeat(key: string, series: Series): void {
    const { clock } = this.#options;
    series.count += 1;
    series.seen = clock.date();
    series.isTold = false;
    if (clock.now() - series.writtenAt >= SERIES_WRITE_MS) this.#count(key, series);
  }

  /** Has a series' count written as it is by then. */
  #count(key: string, series: Series): void {
    const { client, clock } = this.#options;
    series.isTold = true;
    series.writtenAt = clock.now();
    const { ref } = series;
    const counted = () => ({ count: series.count, lastObservedTime: microTime(series.seen) });
    this.#enqueue({ key, send: () => client.mergePatch(ref, { series: counted() }) });
  }

  #enqueue(write: Write): void {
    this.#waiting.add(write);
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const { clock, isBusy, onError } = this.#options;
    for (const write of this.#waiting) {
      if (isBusy()) await sleep(clock, BUSY_MS);
      this.#waiting.delete(write);
      await retried(clock, write.send, this.#closed.signal).catch((error) => {
        this.#series.delete(write.key);
        onError(error);
      });
    }
    this.#writing = undefined;
  }

  #event(object: KubeObject, text: EventText): KubeObject {
    const { clock, controller, instance } = this.#options;
    const { name, namespace = 'default', uid, resourceVersion } = object.metadata;
    const { apiVersion, kind } = object;
    const regarding = { apiVersion, kind, name, namespace: object.metadata.namespace, uid, resourceVersion };
    const date = clock.date();
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 220)}.${randomUUID().slice(0, 13)}`, namespace },
      eventTime: microTime(date),
      reportingController: controller,
      reportingInstance: instance,
      regarding,
      type: text.type,
      reason: text.reason,
      action: text.action,
      note: noteOf(text.message),
    };
  }

  #allowed(uid: string): boolean {
    const now = this.#options.clock.now();
    const { tokens, at } = this.#allowances.get(uid) ?? { tokens: BURST, at: now };
    const filled = Math.min(BURST, tokens + (now - at) / REFILL_MS);
    this.#allowances.set(uid, { tokens: filled >= 1 ? filled - 1 : filled, at: now });
    return filled >= 1;
  }

  /** Not at every event: there may be many. */
  #prune(): void {
    const now = this.#options.clock.now();
    if (now - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = now;
    for (const [key, series] of this.#series) {
      if (now - series.writtenAt <= SERIES_MS) continue;
      if (!series.isTold) this.#count(key, series);
      this.#series.delete(key);
    }
    for (const [uid, { at }] of this.#allowances) {
      if (now - at > BURST * REFILL_MS) this.#allowances.delete(uid);
    }
  }
}

function unlessExists(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}

/** What makes two events the same. */
function keyOf({ metadata }: KubeObject, { type, reason, message }: EventText): string {
  return createHash('sha256')
    .update(JSON.stringify([metadata.uid, type, reason, message]))
    .digest('base64');
}

import { randomUUID } from 'node:crypto';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { microTime } from './clock.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { refOf } from './object.ts';

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
  onError: (error: unknown) => void;
};

type Series = { ref: ObjectRef; count: number; writtenCount: number; writtenAt: number };
type Allowance = { tokens: number; at: number };

/** A repeat counts into its series for this long after the last write, then begins a new event. */
const SERIES_MS = 6 * 60_000;
/** A series is written at most this often, whatever the rate of repeats. */
const SERIES_WRITE_MS = 60_000;
/** New events an object may have at once, and how soon one more is allowed. */
const BURST = 25;
const REFILL_MS = 60_000;
const MAX_NOTE = 1000;
/** Events that may wait to be written; each holds its object. */
const MAX_WAITING = 1000;

/** Writes events on objects: repeats become one event with a count, and one object can't flood the server. */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  #last = Promise.resolve();
  #waiting = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * Writes the event, or counts it as a repeat, after those before it: one at a time, so that much to tell keeps nobody
   * from work, and not without end. Never throws: an event that can't be written is only logged.
   */
  async record(object: KubeObject, text: EventText): Promise<void> {
    if (this.#waiting >= MAX_WAITING) {
      const { kind, metadata } = object;
      this.#options.onError(new Error(`too many events wait: ${text.reason} of ${kind} ${metadata.name}`));
      return;
    }
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#record(object, text));
    await this.#last;
    this.#waiting -= 1;
  }

  async #record(object: KubeObject, text: EventText): Promise<void> {
    this.#prune();
    const key = JSON.stringify([object.metadata.uid, text.type, text.reason, text.message]);
    try {
      const series = this.#series.get(key);
      if (series) await this.#repeat(series);
      else if (this.#allowed(object.metadata.uid ?? '')) await this.#create(key, object, text);
    } catch (error) {
      this.#series.delete(key);
      this.#options.onError(error);
    }
  }

  async #create(key: string, object: KubeObject, text: EventText): Promise<void> {
    const { client, clock } = this.#options;
    const event = this.#event(object, text);
    this.#series.set(key, { ref: refOf(event), count: 1, writtenCount: 1, writtenAt: clock.now() });
    await client.create(event);
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
      note: text.message.length > MAX_NOTE ? `${text.message.slice(0, MAX_NOTE - 1)}…` : text.message,
    };
  }

  async #repeat(series: Series): Promise<void> {
    const { client, clock } = this.#options;
    series.count += 1;
    const now = clock.now();
    if (now - series.writtenAt < SERIES_WRITE_MS) return;
    Object.assign(series, { writtenAt: now, writtenCount: series.count });
    const lastObservedTime = microTime(clock.date());
    await client.mergePatch(series.ref, { series: { count: series.count, lastObservedTime } });
  }

  #allowed(uid: string): boolean {
    const now = this.#options.clock.now();
    const { tokens, at } = this.#allowances.get(uid) ?? { tokens: BURST, at: now };
    const filled = Math.min(BURST, tokens + (now - at) / REFILL_MS);
    this.#allowances.set(uid, { tokens: filled >= 1 ? filled - 1 : filled, at: now });
    return filled >= 1;
  }

  #prune(): void {
    const now = this.#options.clock.now();
    for (const [key, series] of this.#series) {
      if (now - series.writtenAt > SERIES_MS) this.#series.delete(key);
    }
    for (const [uid, { at }] of this.#allowances) {
      if (now - at > BURST * REFILL_MS) this.#allowances.delete(uid);
    }
  }
}

import { createHash, randomUUID } from 'node:crypto';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { microTime, sleep } from './clock.ts';
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
  /** Whether there is other work, which goes before telling of it. */
  isBusy: () => boolean;
  onError: (error: unknown) => void;
};

type Series = { ref: ObjectRef; count: number; writtenAt: number };
/** What is to be written of the series of a key. */
type Write = { key: string; send: () => Promise<unknown> };
type Allowance = { tokens: number; at: number };

/** A repeat counts into its series for this long after the last write, then begins a new event. */
const SERIES_MS = 6 * 60_000;
/** A series is written at most this often, whatever the rate of repeats. */
const SERIES_WRITE_MS = 60_000;
/** New events an object may have at once, and how soon one more is allowed: this also bounds how many can wait. */
const BURST = 25;
const REFILL_MS = 60_000;
const PRUNE_MS = 60_000;
/** What the API server takes of a note, in bytes of UTF-8. */
const MAX_NOTE = 1024;
const ELLIPSIS = '…';
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
  #prunedAt = 0;
  #writing: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Has the event written, or counted as a repeat. One that can't be written is only told to `onError`. */
  record(object: KubeObject, text: EventText): void {
    this.#prune();
    const key = keyOf(object, text);
    const series = this.#series.get(key);
    if (series) this.#repeat(key, series);
    else if (this.#allowed(object.metadata.uid ?? '')) this.#begin(key, object, text);
  }

  /** Resolves when all that was recorded is written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  #begin(key: string, object: KubeObject, text: EventText): void {
    const { client, clock } = this.#options;
    const event = this.#event(object, text);
    this.#series.set(key, { ref: refOf(event), count: 1, writtenAt: clock.now() });
    this.#enqueue({ key, send: () => client.create(event) });
  }

  #repeat(key: string, series: Series): void {
    const { client, clock } = this.#options;
    series.count += 1;
    if (clock.now() - series.writtenAt < SERIES_WRITE_MS) return;
    series.writtenAt = clock.now();
    const lastObservedTime = microTime(clock.date());
    const send = () => client.mergePatch(series.ref, { series: { count: series.count, lastObservedTime } });
    this.#enqueue({ key, send });
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
      await write.send().catch((error) => {
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
      if (now - series.writtenAt > SERIES_MS) this.#series.delete(key);
    }
    for (const [uid, { at }] of this.#allowances) {
      if (now - at > BURST * REFILL_MS) this.#allowances.delete(uid);
    }
  }
}

/** The message, cut at the end of a character where it is too long. */
function noteOf(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_NOTE) return message;
  const room = bytes.subarray(0, MAX_NOTE - Buffer.byteLength(ELLIPSIS));
  // In a stream, a character that isn't whole is kept back.
  return new TextDecoder().decode(room, { stream: true }) + ELLIPSIS;
}

/** What makes two events the same. */
function keyOf({ metadata }: KubeObject, { type, reason, message }: EventText): string {
  return createHash('sha256')
    .update(JSON.stringify([metadata.uid, type, reason, message]))
    .digest('base64');
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { type Answer, isLease, isWrite, type Tap } from '../tap.ts';

const REASONS: Record<number, string> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
};

function status(code: number) {
  const message = 'a fault of the test';
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason: REASONS[code], message };
}

function refusal(code: number): Answer {
  return { code, headers: code === 429 ? { 'retry-after': '1' } : {}, body: JSON.stringify(status(code)) };
}

/** The event by which a watch hears that its version is too old. */
const TOO_OLD = JSON.stringify({ type: 'ERROR', object: status(410) });

/** Whether it is time for a fault. */
export type Due = () => boolean;

/** True for every n-th time. */
export function every(n: number): Due {
  let times = 0;
  return () => ++times % n === 0;
}

/** True once in n times, at random: a beat in step with the operator's own would let nothing through for ever. */
export function oneIn(n: number, random: Random): Due {
  return () => random.below(n) === 0;
}

/** Writes, or reads, are answered by an error and never reach the API server. */
export function answer(what: 'write' | 'read', code: number, due: Due, harmed: () => void): Tap {
  return {
    request(sent) {
      if (isLease(sent) || isWrite(sent) !== (what === 'write') || !due()) return undefined;
      harmed();
      return refusal(code);
    },
  };
}

/** Writes are done without an answer, or answers to whatever break off in the middle. */
export function lose(how: 'lose' | 'cut', due: Due, harmed: () => void): Tap {
  return {
    response(sent) {
      if (isLease(sent) || (how === 'lose' && !isWrite(sent)) || !due()) return undefined;
      harmed();
      return how;
    },
  };
}

/** Every watch hears after some events that its version is too old. */
export function gone(after: number, harmed: () => void): Tap {
  return {
    async *watch(_, lines) {
      let heard = 0;
      for await (const line of lines) {
        yield line;
        if (++heard < after) continue;
        harmed();
        yield TOO_OLD;
        return;
      }
    },
  };
}

/**
 * Of the first object that is made after some events, and of all that comes until it is gone again, a watch hears nothing
 * but that its version is too old by then: the list tells nothing of it either. Where it lives on, that comes after a while.
 */
export function unseenLives(after: number, harmed: () => void): Tap {
  return {
    async *watch(_, lines) {
      const iterator = lines[Symbol.asyncIterator]();
      for (let heard = 0; ; heard += 1) {
        const { done, value: line } = await iterator.next();
        if (done) return;
        if (heard < after || eventOf(line).type !== 'ADDED') yield line;
        else {
          if (await ends(iterator, eventOf(line).uid)) harmed();
          return yield TOO_OLD;
        }
      }
    },
  };
}

const LIFE_MS = 6_000;

/** Reads on until an object is deleted; answers false where that doesn't come soon. */
async function ends(iterator: AsyncIterator<string>, uid: string): Promise<boolean> {
  const late = sleep(LIFE_MS, { done: true as const, value: undefined });
  for (;;) {
    const { done, value: line } = await Promise.race([iterator.next(), late]);
    if (done) return false;
    const event = eventOf(line);
    if (event.type === 'DELETED' && event.uid === uid) return true;
  }
}

function eventOf(line: string): { type: string; uid: string } {
  const { type, object } = JSON.parse(line);
  return { type, uid: object.metadata.uid };
}

/** Every watch breaks off after some events, in the middle of the next. */
export function torn(after: number, harmed: () => void): Tap {
  return {
    async *watch(_, lines) {
      let heard = 0;
      for await (const line of lines) {
        if (heard++ < after) yield line;
        else {
          harmed();
          yield { torn: line };
        }
      }
    },
  };
}

/** Events are withheld until so many have come, what undoes them among them, or none for two seconds. */
export function lateEvents(batch: number, harmed: () => void): Tap {
  return {
    async *watch(_, lines) {
      let held: string[] = [];
      const iterator = lines[Symbol.asyncIterator]();
      let next = iterator.next();
      for (;;) {
        const came = await Promise.race([next, sleep(PATIENCE_MS, undefined)]);
        if (came?.done) return;
        if (came) {
          held.push(came.value);
          next = iterator.next();
        }
        if (came && held.length < batch) continue;
        if (held.length > 1) harmed();
        yield* held;
        held = [];
      }
    },
  };
}

const PATIENCE_MS = 2_000;

/** The first watch of each kind hears nothing any more after some events, and its connection stays. */
export function silent(after: number, harmed: () => void): Tap {
  const silenced = new Set<string>();
  return {
    async *watch({ path }, lines) {
      if (silenced.has(path)) return yield* lines;
      silenced.add(path);
      let heard = 0;
      for await (const line of lines) {
        heard += 1;
        if (heard === after + 1) harmed();
        if (heard <= after) yield line;
      }
    },
  };
}

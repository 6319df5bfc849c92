import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock, settle } from '../../test/manual-clock.ts';
import type { Outcome } from './queue.ts';
import { WorkQueue } from './queue.ts';

type Scene = {
  clock: ManualClock;
  queue: WorkQueue;
  /** What happened, in order: `>key` began, `<key` ended, `!key@ms` failed and comes back after ms. */
  log: string[];
  /** Ends the work on a key. */
  finish(key: string, outcome?: Outcome | Error): Promise<void>;
};

function scene(concurrency = 1): Scene {
  const clock = new ManualClock();
  const log: string[] = [];
  const open = new Map<string, PromiseWithResolvers<Outcome>>();
  const handler = async (key: string) => {
    log.push(`>${key}`);
    const work = Promise.withResolvers<Outcome>();
    open.set(key, work);
    const outcome = await work.promise;
    log.push(`<${key}`);
    return outcome;
  };
  const onFailure = (key: string, _: unknown, ms: number) => log.push(`!${key}@${Math.round(ms)}`);
  const queue = new WorkQueue({ handler, onFailure, concurrency, clock });
  const finish = async (key: string, outcome?: Outcome | Error) => {
    await settle();
    const work = open.get(key);
    assert.ok(work, `${key} is in flight`);
    open.delete(key);
    if (outcome instanceof Error) work.reject(outcome);
    else work.resolve(outcome);
    await settle();
  };
  return { clock, queue, log, finish };
}

test('many keys that come back with time alone share the runs that there are for them', async () => {
  const { clock, queue, log, finish } = scene(200);
  const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);
  for (const key of keys) queue.add(key);
  for (const key of keys) await finish(key, { requeueAfterMs: 3_000 });
  log.length = 0;
  await clock.advance(3_000);
  assert.equal(log.length, 61, 'the first ones, who had the runs to themselves');
  await clock.advance(7_000);
  assert.equal(log.length, 200);
});

test('those that come back much later take no runs from those that come back soon', async () => {
  const { clock, queue, log, finish } = scene(101);
  const idle = Array.from({ length: 100 }, (_, i) => `idle-${i}`);
  for (const key of [...idle, 'busy']) queue.add(key);
  for (const key of idle) await finish(key, { requeueAfterMs: 600_000 });
  await finish('busy', { requeueAfterMs: 3_000 });
  log.length = 0;
  await clock.advance(3_000);
  assert.deepEqual(log, ['>busy']);
});

test('the handler is told how often in a row a key has failed', async () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const handler = async (_: string, failures: number) => {
    told.push(failures);
    if (told.length !== 3) throw new Error('in vain');
    return { requeueAfterMs: 1 };
  };
  const queue = new WorkQueue({ handler, onFailure: () => {}, concurrency: 1, clock });
  queue.add('a');
  await clock.advance(60);
  assert.deepEqual(told.slice(0, 5), [0, 1, 2, 0, 1]);
});

const cases: { name: string; concurrency?: number; run: (s: Scene) => Promise<void>; log: string[] }[] = [
  {
    name: 'a key added many times before it is worked on runs once',
    async run({ queue, finish }) {
      for (const key of ['a', 'b', 'b', 'b']) queue.add(key);
      await finish('a');
      await finish('b');
    },
    log: ['>a', '<a', '>b', '<b'],
  },
  {
    name: 'a key added while in flight runs again, after it and never beside it',
    concurrency: 4,
    async run({ queue, finish }) {
      queue.add('a');
      await settle();
      queue.add('a');
      queue.add('a');
      await settle();
      await finish('a');
      await finish('a');
    },
    log: ['>a', '<a', '>a', '<a'],
  },
  {
    name: 'as many keys at once as the concurrency allows, the rest in order of arrival',
    concurrency: 2,
    async run({ queue, finish }) {
      for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
      await finish('b');
      await finish('a');
      await settle();
    },
    log: ['>a', '>b', '<b', '>c', '<a', '>d'],
  },
  {
    name: 'a failure comes back with a back-off that doubles, a success makes it small again',
    async run({ clock, queue, finish }) {
      queue.add('a');
      for (let i = 0; i < 3; i++) {
        await finish('a', new Error('no'));
        await clock.advance(60_000);
      }
      await finish('a');
      queue.add('a');
      await finish('a', new Error('no'));
    },
    log: ['>a', '!a@4', '>a', '!a@8', '>a', '!a@15', '>a', '<a', '>a', '!a@4'],
  },
  {
    name: "the server's Retry-After is waited for",
    async run({ clock, queue, finish }) {
      queue.add('a');
      await finish('a', Object.assign(new Error('busy'), { retryAfterMs: 1000 }));
      await clock.advance(999);
      await clock.advance(1);
    },
    log: ['>a', '!a@1000', '>a'],
  },
  {
    name: 'an event does not wait for the back-off of an earlier failure',
    async run({ queue, finish }) {
      queue.add('a');
      await finish('a', new Error('no'));
      queue.add('a');
      await settle();
    },
    log: ['>a', '!a@4', '>a'],
  },
  {
    name: 'one failing key does not hold up another',
    async run({ queue, finish }) {
      queue.add('a');
      queue.add('b');
      await finish('a', new Error('no'));
      await finish('b');
    },
    log: ['>a', '!a@4', '>b', '<b'],
  },
  {
    name: 'a handler can ask to be called again',
    async run({ clock, queue, finish }) {
      queue.add('a');
      await finish('a', { requeueAfterMs: 100 });
      await clock.advance(99);
      await clock.advance(1);
    },
    log: ['>a', '<a', '>a'],
  },
  {
    name: 'who asked to be called again goes behind those with news',
    async run({ clock, queue, finish }) {
      queue.add('look');
      queue.add('busy');
      await finish('look', { requeueAfterMs: 100 });
      await clock.advance(100);
      for (const key of ['a', 'b']) queue.add(key);
      for (const key of ['busy', 'a', 'b']) await finish(key);
    },
    log: ['>look', '<look', '>busy', '<busy', '>a', '<a', '>b', '<b', '>look'],
  },
  {
    name: 'but not behind news that came a minute later',
    async run({ clock, queue, finish }) {
      queue.add('look');
      queue.add('busy');
      await finish('look', { requeueAfterMs: 100 });
      await clock.advance(50_000);
      queue.add('a');
      await clock.advance(20_000);
      queue.add('b');
      for (const key of ['busy', 'a', 'look']) await finish(key);
    },
    log: ['>look', '<look', '>busy', '<busy', '>a', '<a', '>look', '<look', '>b'],
  },
  {
    name: 'who was called meanwhile is not called again for the time that has passed',
    async run({ clock, queue, finish }) {
      queue.add('a');
      await finish('a', { requeueAfterMs: 100 });
      queue.add('a');
      await clock.advance(200);
      await finish('a');
      await clock.advance(1000);
    },
    log: ['>a', '<a', '>a', '<a'],
  },
  {
    name: 'of several delays the earliest counts',
    async run({ clock, queue, finish }) {
      queue.addAfter('a', 100);
      queue.addAfter('a', 10);
      queue.addAfter('a', 50);
      await clock.advance(10);
      await finish('a');
      await clock.advance(1000);
    },
    log: ['>a', '<a'],
  },
];

describe('the work queue', () => {
  for (const { name, concurrency, run, log } of cases) {
    test(name, async () => {
      const s = scene(concurrency);
      await run(s);
      assert.deepEqual(s.log, log);
    });
  }

  test('the back-off never exceeds a minute', async () => {
    const { clock, queue, log, finish } = scene();
    queue.add('a');
    for (let i = 0; i < 30; i++) {
      await finish('a', new Error('no'));
      await clock.advance(60_000);
    }
    assert.equal(log.at(-2), '!a@45000');
  });

  test('stop waits for what is in flight and starts nothing more', async () => {
    const { clock, queue, log, finish } = scene();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await settle();
    queue.add('a');
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    queue.add('d');
    await clock.advance(100);
    assert.equal(stopped, false);
    await finish('a');
    await stopping;
    assert.deepEqual(log, ['>a', '<a']);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { Canary } from './canary.ts';
import { sleep } from './clock.ts';
import { WorkQueue } from './queue.ts';

const MINUTE = 60_000;

/** A queue in which each key takes a time of its own: `slow` more than a minute, others for ever. */
function scene({ concurrency = 1 } = {}) {
  const clock = new ManualClock();
  const canary = new Canary(clock);
  const stop = new AbortController();
  const handler = canary.beside(async (key) => {
    await (key.startsWith('slow') ? sleep(clock, 1.5 * MINUTE) : new Promise(() => {}));
    throw new Error('in vain');
  });
  let sent = 0;
  const queue = new WorkQueue({ handler, onFailure: () => {}, concurrency, clock });
  const send = (key: string) => {
    sent += 1;
    queue.add(key);
  };
  void canary.run(send, stop.signal);
  return { clock, canary, queue, sent: () => sent, stop: () => stop.abort() };
}

describe('a canary', () => {
  test('goes through the queue each minute, and then nothing is wrong', async (t) => {
    const { clock, canary, sent, stop } = scene();
    t.after(stop);
    await clock.advance(10 * MINUTE);
    assert.equal(sent(), 11);
    assert.deepEqual(canary.problems(), []);
  });

  test('is missed after three minutes when every worker hangs', async (t) => {
    const { clock, canary, queue, stop } = scene();
    t.after(stop);
    await clock.advance(MINUTE / 2);
    queue.add('hangs');
    await clock.advance(2.5 * MINUTE);
    assert.deepEqual(canary.problems(), []);
    await clock.advance(MINUTE);
    assert.deepEqual(canary.problems(), ['nothing has come through the work queue for 240 s']);
  });

  test('is not missed where other keys come through before it', async (t) => {
    const { clock, canary, queue, stop } = scene();
    t.after(stop);
    for (let i = 0; i < 10; i++) queue.add(`slow-${i}`);
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(MINUTE);
      assert.deepEqual(canary.problems(), []);
    }
  });

  test('is not kept by one that hangs while others work', async (t) => {
    const { clock, canary, queue, stop } = scene({ concurrency: 2 });
    t.after(stop);
    queue.add('hangs');
    await clock.advance(10 * MINUTE);
    assert.deepEqual(canary.problems(), []);
    assert.deepEqual(queue.workedSeconds, [600]);
  });
});

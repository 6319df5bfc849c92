import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { CANARY, Canary } from './canary.ts';
import { WorkQueue } from './queue.ts';

const MINUTE = 60_000;

function scene({ concurrency = 1 } = {}) {
  const clock = new ManualClock();
  const canary = new Canary(clock);
  const stop = new AbortController();
  let passed = 0;
  const handler = async (key: string) => {
    if (key !== CANARY) return await new Promise<undefined>(() => {});
    passed += 1;
    return await canary.passed();
  };
  const queue = new WorkQueue({ handler, onFailure: () => {}, concurrency, clock });
  void canary.run((key) => queue.add(key), stop.signal);
  return { clock, canary, queue, passed: () => passed, stop: () => stop.abort() };
}

describe('a canary', () => {
  test('goes through the queue each minute, and then nothing is wrong', async (t) => {
    const { clock, canary, passed, stop } = scene();
    t.after(stop);
    await clock.advance(10 * MINUTE);
    assert.equal(passed(), 11);
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

  test('is not kept by one that hangs while others work', async (t) => {
    const { clock, canary, queue, stop } = scene({ concurrency: 2 });
    t.after(stop);
    queue.add('hangs');
    await clock.advance(10 * MINUTE);
    assert.deepEqual(canary.problems(), []);
    assert.deepEqual(queue.workedSeconds, [600]);
  });
});

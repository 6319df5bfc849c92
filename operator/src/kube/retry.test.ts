import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { ApiError, NoAnswerError, NotLeaderError } from './errors.ts';
import { retried } from './retry.ts';

const busy = new ApiError(429, 'TooManyRequests', 'later', 7_000);
const broken = new ApiError(500, 'InternalError', 'broken');
const cut = new NoAnswerError('cut');

/** When each request is begun, in milliseconds, of one that fails with each of the errors in turn. */
async function attempts(
  errors: Error[],
  signal = new AbortController().signal,
): Promise<{ at: number[]; end: string }> {
  const clock = new ManualClock();
  const at: number[] = [];
  const sending = retried(
    clock,
    async () => {
      at.push(clock.now());
      const error = errors[at.length - 1];
      if (error) throw error;
      return 'done';
    },
    signal,
  ).catch((error: Error) => error.message);
  await clock.advance(120_000);
  return { at, end: await sending };
}

const cases: { name: string; errors: Error[]; at: number[]; end: string }[] = [
  { name: 'what succeeds is sent once', errors: [], at: [0], end: 'done' },
  { name: 'a broken server is asked again', errors: [broken, cut], at: [0, 375, 1_125], end: 'done' },
  { name: 'a busy one when it wants to', errors: [busy], at: [0, 7_000], end: 'done' },
  {
    name: 'a refusal is not sent again',
    errors: [new ApiError(404, 'NotFound', 'gone')],
    at: [0],
    end: 'gone',
  },
  { name: 'nor what may not be sent', errors: [new NotLeaderError('follows')], at: [0], end: 'follows' },
];

describe('a request that may be done twice', () => {
  for (const { name, errors, at, end } of cases)
    test(name, async () => assert.deepEqual(await attempts(errors), { at, end }));

  test('is sent once where nothing waits any more', async () =>
    assert.deepEqual(await attempts([broken], AbortSignal.abort()), { at: [0], end: 'broken' }));

  test('is given up after a minute', async () => {
    const { at, end } = await attempts(Array.from({ length: 100 }, () => broken));
    assert.equal(end, 'broken');
    const last = at.at(-1) ?? 0;
    assert.ok(last >= 60_000 && last < 70_000, `${last}`);
  });
});

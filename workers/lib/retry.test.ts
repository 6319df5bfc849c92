import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ConfigError } from './config.ts';
import { Health, StageError } from './health.ts';
import { createLogger } from './logging.ts';
import { backoffMs, isAbort, sleep, untilDone } from './retry.ts';

function context() {
  const log = createLogger('test');
  log.level = 'silent';
  const controller = new AbortController();
  return { health: new Health(), log, signal: controller.signal, maxDelayMs: 1, controller };
}

test('tries again until it succeeds, telling health why it is not ready meanwhile', async () => {
  const { health, ...rest } = context();
  let attempts = 0;
  const result = await untilDone(
    async () => {
      attempts += 1;
      if (attempts === 1) throw new StageError('Kafka', 'BrokerUnreachable', 'no broker');
      assert.deepEqual(health.snapshot(), {
        ready: false,
        stage: 'Kafka',
        reason: 'BrokerUnreachable',
        message: 'no broker',
      });
      return 'done';
    },
    { ...rest, health },
  );
  assert.deepEqual([result, attempts], ['done', 2]);
});

test('an error that nobody foresaw is tried again too, under the stage Worker', async () => {
  const { health, ...rest } = context();
  let failed = false;
  await untilDone(
    async () => {
      if (failed) return;
      failed = true;
      throw new TypeError('oops');
    },
    { ...rest, health },
  );
  const { stage, reason, message } = health.snapshot();
  assert.deepEqual([stage, reason, message], ['Worker', 'UnexpectedError', 'oops']);
});

test('waits as long as the neighbour asked, and ends at once when aborted', async () => {
  const { controller, ...rest } = context();
  const attempt = async () => {
    setImmediate(() => controller.abort());
    throw new StageError('Source', 'SourceRateLimited', 'later', { retryAfterMs: 3_600_000 });
  };
  await assert.rejects(untilDone(attempt, rest), isAbort);
});

test('waits longer than one timer can', async () => {
  const controller = new AbortController();
  let over = false;
  const waited = sleep(2 ** 31, controller.signal).then(() => (over = true));
  await setTimeout(20);
  assert.equal(over, false);
  controller.abort();
  await assert.rejects(waited, isAbort);
});

test('a wrong configuration is not tried again', async () => {
  const attempt = async () => {
    throw new ConfigError('kafka.topic: missing');
  };
  await assert.rejects(untilDone(attempt, context()), ConfigError);
});

test('the pause doubles up to its maximum, at least half of it certain', () => {
  const pauses = [0, 1, 2, 3, 10, 1000].map((failures) => [
    backoffMs(failures, 15_000, () => 0),
    backoffMs(failures, 15_000, () => 1),
  ]);
  assert.deepEqual(pauses, [
    [125, 250],
    [250, 500],
    [500, 1000],
    [1000, 2000],
    [7500, 15_000],
    [7500, 15_000],
  ]);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IngestBench } from '../test/ingest.ts';
import { Budget, type Reservation } from './budget.ts';

const isReserved = (answer: Reservation | { waitMs: number }): answer is Reservation => 'at' in answer;

describe('the budget', () => {
  const bench = IngestBench.hook();
  const budget = (users: number, perMs: number, source = 'api') =>
    new Budget(bench.pool, source, { users, perMs });

  async function reserved(from: Budget, users: number): Promise<Reservation> {
    for (;;) {
      const answer = await from.reserve(users);
      if (isReserved(answer)) return answer;
      await sleep(answer.waitMs);
    }
  }

  async function waitMs(from: Budget, users: number): Promise<number> {
    const answer = await from.reserve(users);
    return isReserved(answer) ? 0 : answer.waitMs;
  }

  test('is one for all, and no span of the period’s length holds more, however many ask', async () => {
    const [limit, perMs, batch] = [50, 400, 7];
    const asked: { from: number; to: number }[] = [];
    const replica = async () => {
      const mine = budget(limit, perMs);
      for (let turn = 0; turn < 7; turn += 1) {
        const reservation = await reserved(mine, batch);
        const from = performance.now();
        await sleep(5);
        asked.push({ from, to: performance.now() });
        await mine.settle(reservation);
      }
    };
    await Promise.all([replica(), replica(), replica()]);
    // The source counts a request somewhere between its beginning and its end: taken here as tight as may be.
    for (const { from } of asked) {
      const before = asked.filter((other) => other.from <= from && other.to > from - perMs);
      assert.ok(before.length * batch <= limit, `${before.length * batch} users in one period`);
    }
    assert.equal(asked.length, 21);
  });

  test('outlives its readers: what one reserved or spent is gone for the next', async () => {
    const reservation = await reserved(budget(100, 60_000), 60);
    assert.ok((await waitMs(budget(100, 60_000), 41)) > 59_000);
    await budget(100, 60_000).settle(reservation);
    const wait = await waitMs(budget(100, 60_000), 41);
    assert.ok(wait > 59_000 && wait <= 60_060, `${wait} ms`);
    assert.equal(await waitMs(budget(100, 60_000), 40), 0);
    assert.equal(await waitMs(budget(100, 60_000, 'another'), 100), 0);
  });

  test('what was reserved by one who died comes back, a little late', async () => {
    await reserved(budget(10, 1000), 10);
    await bench.pool.query("UPDATE ingest_spent SET at = at - interval '36 seconds'");
    assert.equal(await waitMs(budget(10, 1000), 10), 0);
  });

  test('waits only until enough has come back', async () => {
    const mine = budget(100, 60_000);
    const ago = (users: number, seconds: number) =>
      bench.pool.query(`INSERT INTO ingest_spent VALUES ('api', now() - $2 * interval '1 second', $1)`, [
        users,
        seconds,
      ]);
    await ago(30, 61);
    await ago(50, 50);
    await ago(40, 20);
    assert.equal(Math.round((await waitMs(mine, 60)) / 1000), 10);
    assert.equal(Math.round((await waitMs(mine, 61)) / 1000), 40);
    assert.equal(await waitMs(mine, 10), 0);
  });

  test('is empty for as long as the source says, and full again after that', async () => {
    await budget(100, 1000).exhaust(5000);
    assert.ok((await waitMs(budget(100, 1000), 1)) >= 999);
    await bench.pool.query("UPDATE ingest_spent SET at = at - interval '5.1 seconds'");
    assert.equal(await waitMs(budget(100, 1000), 100), 0);
  });

  test('may be for a period of months', async () => {
    const days = 86_400_000;
    const mine = budget(100, 60 * days);
    await mine.settle(await reserved(mine, 60));
    const wait = await waitMs(mine, 41);
    assert.ok(wait > 59.9 * days && wait < 60.1 * days, `${wait} ms`);
    await mine.exhaust(1000);
    assert.ok((await waitMs(mine, 41)) > 59.9 * days);
  });

  test('keeps no more than it needs', async () => {
    const mine = budget(1_000_000, 1000);
    for (let turn = 0; turn < 30; turn += 1) await mine.settle(await reserved(mine, 1));
    await bench.pool.query("UPDATE ingest_spent SET at = at - interval '40 seconds'");
    await reserved(mine, 1);
    assert.equal(await bench.count('ingest_spent'), 1);
  });
});

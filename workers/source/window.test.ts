import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Window } from './window.ts';

test('lets the budget through at once, then waits until enough of it has come back', () => {
  const window = new Window({ users: 100, perMs: 1000 });
  window.spend(60, 0);
  window.spend(40, 300);
  assert.equal(window.waitMs(1, 400), 600);
  assert.equal(window.waitMs(60, 400), 600);
  assert.equal(window.waitMs(61, 400), 900);
  assert.equal(window.waitMs(60, 1000), 0);
  assert.equal(window.waitMs(100, 1300), 0);
});

test('no span of the window’s length ever holds more than the budget', () => {
  const window = new Window({ users: 50, perMs: 100 });
  const spent: number[] = [];
  for (let now = 0; now < 1000; now += 1) {
    while (window.waitMs(7, now) === 0) {
      window.spend(7, now);
      spent.push(now);
    }
  }
  for (const start of spent) {
    const inSpan = spent.filter((at) => at >= start && at < start + 100).length * 7;
    assert.ok(inSpan <= 50, `${inSpan} users from ${start}`);
  }
  assert.equal(spent.length, 7 * 10);
});

test('what is larger than the budget waits a whole window, again and again', () => {
  assert.equal(new Window({ users: 10, perMs: 1000 }).waitMs(11, 0), 1000);
});

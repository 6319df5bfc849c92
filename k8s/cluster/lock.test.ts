import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLock } from './lock.ts';

test('holders of a lock take turns, in spite of errors', async () => {
  const name = `test/${process.pid}`;
  const events: string[] = [];
  const hold = (who: string, fail = false) =>
    withLock(name, async () => {
      events.push(`${who} in`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${who} out`);
      if (fail) throw new Error(who);
    });
  const first = assert.rejects(hold('a', true), /a/);
  await Promise.all([first, hold('b')]);
  assert.deepEqual(
    events.map((event) => event.split(' ')[1]),
    ['in', 'out', 'in', 'out'],
  );
});

test('whoever has to wait is told so once', async () => {
  let told = 0;
  const waited = Promise.withResolvers<void>();
  const holder = withLock(`told/${process.pid}`, () => waited.promise);
  const tell = () => {
    told += 1;
    waited.resolve();
  };
  await Promise.all([holder, withLock(`told/${process.pid}`, async () => {}, tell)]);
  assert.equal(told, 1);
});

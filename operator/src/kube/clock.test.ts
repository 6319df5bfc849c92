import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { elapsed } from './clock.ts';

describe('time that has passed', () => {
  const cases: { name: string; monotonic: number; calendar: number; passed: number }[] = [
    { name: 'is what both hands show', monotonic: 5_000, calendar: 5_000, passed: 5_000 },
    { name: 'counts what the machine was suspended', monotonic: 1_000, calendar: 61_000, passed: 61_000 },
    {
      name: 'does not shrink when the calendar is set back',
      monotonic: 5_000,
      calendar: -60_000,
      passed: 5_000,
    },
  ];
  for (const { name, monotonic, calendar, passed } of cases)
    test(name, async () => {
      const clock = new ManualClock();
      const date = new Date(clock.date().getTime() + monotonic - calendar);
      await clock.advance(monotonic);
      assert.equal(elapsed(clock, { now: 0, date }), passed);
    });
});

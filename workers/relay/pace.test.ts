import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pace } from './pace.ts';

/** End of the WAL, what is confirmed, and when. */
type Look = [end: bigint, confirmed: bigint, now: number];

const cases: { name: string; looks: Look[]; expected: number }[] = [
  { name: 'one look at an idle database', looks: [[9n, 9n, 0]], expected: 0 },
  {
    name: 'an idle database',
    looks: [
      [9n, 9n, 0],
      [9n, 9n, 3000],
      [9n, 9n, 6000],
    ],
    expected: 6000,
  },
  {
    name: 'a busy one, whose every look is passed by the next',
    looks: [
      [9n, 9n, 0],
      [20n, 15n, 3000],
      [30n, 25n, 6000],
    ],
    expected: 6000,
  },
  {
    name: 'a look that the next has not passed',
    looks: [
      [9n, 9n, 0],
      [20n, 9n, 3000],
      [30n, 19n, 6000],
    ],
    expected: 0,
  },
  {
    name: 'behind, and then again in pace',
    looks: [
      [20n, 9n, 0],
      [30n, 19n, 3000],
      [30n, 30n, 6000],
      [30n, 30n, 9000],
    ],
    expected: 3000,
  },
  {
    name: 'after a long pause only what is published now counts',
    looks: [
      [9n, 9n, 0],
      [30n, 20n, 20_000],
    ],
    expected: 0,
  },
];

describe('for how long the relay has kept up', () => {
  for (const { name, looks, expected } of cases) {
    test(name, () => {
      const pace = new Pace();
      assert.equal(looks.map((look) => pace.look(...look)).at(-1), expected);
    });
  }
});

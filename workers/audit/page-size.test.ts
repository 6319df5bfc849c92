import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextSize, PAGE_BYTES } from './page-size.ts';

const cases = [
  { name: 'doubles while rows are small', size: 32, bytes: 32 * 400, expected: 64 },
  { name: 'grows no further than it may', size: 1500, bytes: 1500 * 400, expected: 2000 },
  { name: 'shrinks to what fits', size: 250, bytes: 10 * PAGE_BYTES, expected: 25 },
  { name: 'asks for one row at least', size: 1, bytes: 50 * PAGE_BYTES, expected: 1 },
  { name: 'grows again after a row of nothing', size: 1, bytes: 0, expected: 2 },
];

describe('the size of the next page', () => {
  for (const { name, size, bytes, expected } of cases) {
    test(name, () => assert.equal(nextSize(size, bytes, 2000), expected));
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUGS, withBug } from './planted.ts';

describe('a bug can still be planted', () => {
  for (const bug of BUGS) test(bug.name, () => assert.doesNotThrow(() => withBug(bug)));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from './versions.ts';

test('resource versions are ordered as numbers, however long', () => {
  const ordered = ['1', '9', '10', '99', '100', '18446744073709551615', '18446744073709551616'];
  const shuffled = [...ordered].sort();
  assert.notDeepEqual(shuffled, ordered);
  assert.deepEqual(shuffled.sort(compareVersions), ordered);
  assert.equal(compareVersions('42', '42'), 0);
});

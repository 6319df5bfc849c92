import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epochAbove } from './epoch.ts';
import { versionOf } from './lsn.ts';

const slot = { epoch: 3, startLsn: 500n };

describe('the epoch of a snapshot', () => {
  const cases: [what: string, newest: bigint | undefined, epoch: number][] = [
    ['is the slot’s where the topic is empty', undefined, 3],
    ['is the slot’s where the topic holds an earlier one', versionOf(2, 9000n), 3],
    ['is the slot’s where its own snapshot has begun', versionOf(3, 500n), 3],
    ['is above one that another server published under the same number', versionOf(3, 9000n), 4],
    ['is above one that the database has forgotten', versionOf(7, 20n), 8],
  ];
  for (const [what, newest, epoch] of cases) {
    test(what, () => assert.equal(epochAbove(newest, slot), epoch));
  }
});

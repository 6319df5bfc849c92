import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryDirectory } from '../../workers/test/directory.ts';
import { recordsInHand } from './checkpoint.ts';

type Case = { name: string; planned: Record<string, number>[]; committed: number; inHand: number };

const cases: Case[] = [
  { name: 'no batch yet has none', planned: [], committed: 0, inHand: 0 },
  { name: 'the first batch has all', planned: [{ 0: 3, 1: 4 }], committed: 0, inHand: 7 },
  { name: 'a later one has what came since', planned: [{ 0: 3 }, { 0: 5, 1: 1 }], committed: 1, inHand: 3 },
  { name: 'one that was committed has none', planned: [{ 0: 3 }, { 0: 5 }], committed: 2, inHand: 0 },
];

describe('of a checkpoint', () => {
  for (const { name, planned, committed, inHand } of cases) {
    test(name, async () => {
      const { path, remove } = await temporaryDirectory('checkpoint');
      for (const directory of ['offsets', 'commits']) mkdirSync(join(path, directory));
      for (const [batch, ends] of planned.entries()) {
        writeFileSync(join(path, 'offsets', `.${batch}.crc`), '');
        writeFileSync(
          join(path, 'offsets', `${batch}`),
          `v1\n{"conf":{}}\n${JSON.stringify({ users: ends })}`,
        );
      }
      for (let batch = 0; batch < committed; batch += 1)
        writeFileSync(join(path, 'commits', `${batch}`), 'v1');
      assert.equal(recordsInHand(path), inHand);
      await remove();
    });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../operator/test/faults/random.ts';
import { chooseKill, STAGE_NAMES } from './stages.ts';

const kills = (count: number, seed: string) => {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => chooseKill(index, random));
};

test('every stage is killed in turn, the registry with one that needs it', () => {
  const round = kills(8, 'x');
  assert.deepEqual(
    round.slice(0, 7).map(([victim]) => victim),
    STAGE_NAMES,
  );
  const [starting, registry] = round[7] ?? [];
  assert.ok(registry === 'registry' && ['relay', 'Spark driver'].includes(starting ?? ''));
});

test('some are killed two at once, never one with itself', () => {
  const pairs = kills(200, 'x').filter(([, other]) => other !== undefined && other !== 'registry');
  assert.ok(pairs.length > 20 && pairs.every(([victim, other]) => victim !== other));
});

test('the same seed makes the same choices', () => assert.deepEqual(kills(50, '7'), kills(50, '7')));

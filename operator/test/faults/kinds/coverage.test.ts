import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { coverage, isCovered, type Outcome, refusal, type Tried } from './coverage.ts';

const changed = (...outcomes: Outcome[]): Tried[] => outcomes.map((outcome) => ({ how: 'changed', outcome }));
const past = (outcome: Outcome): Tried => ({ how: 'past the greatest', outcome });

const cases: { name: string; tried: Tried[]; covered: boolean }[] = [
  { name: 'a change that reached a child object', tried: changed('refused', 'reached'), covered: true },
  { name: 'a change that the operator read', tried: changed('read'), covered: true },
  { name: 'a change that is stuck with a reason', tried: changed('stuck'), covered: true },
  {
    name: 'changes that a rule forbids',
    tried: [...changed('forbidden', 'forbidden'), past('refused')],
    covered: true,
  },
  { name: 'changes of which a rule forbids some', tried: changed('forbidden', 'refused'), covered: false },
  { name: 'nothing but a refusal past a bound', tried: [past('refused')], covered: false },
  { name: 'changes that change nothing', tried: changed('the same'), covered: false },
  { name: 'nothing', tried: [], covered: false },
];

describe('a property is covered by', () => {
  for (const { name, tried, covered } of cases)
    test(`${name}: ${covered ? 'yes' : 'no'}`, () => assert.equal(isCovered(tried), covered));
});

const refusals: { message: string; outcome: Outcome }[] = [
  { message: 'spec.cassandra.table: Forbidden: once there is data, …', outcome: 'forbidden' },
  { message: 'spec.relay.compression: Unsupported value: "x": supported values: …', outcome: 'forbidden' },
  { message: 'spec.relay.replicas: Invalid value: 0: should be greater than …', outcome: 'refused' },
];

describe('a refusal', () => {
  for (const { message, outcome } of refusals) test(message, () => assert.equal(refusal(message), outcome));
});

test('both figures are told, and what had no effect', () => {
  const tried = new Map([
    ['a', changed('reached')],
    ['b', [past('refused')]],
  ]);
  const told = coverage(['a', 'b', 'c'], tried);
  assert.match(told, /1 of 3 \(33 %\) had a change take effect/);
  assert.match(told, /2 of 3 \(66 %\) had any change answered/);
  assert.match(told, /without effect: b$/);
});

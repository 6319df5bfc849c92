import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { notReady, READY, stuck } from '../status/check.ts';
import { modeAfter, STEPS } from './pipeline.ts';

const STARTING = notReady('Starting', '');
const GATE = { gate: true };

const cases = [
  {
    name: 'a stage that is ready lets the next one roll',
    step: {},
    check: READY,
    mode: 'write',
    expected: 'write',
  },
  { name: 'a stage that rolls holds the next', step: {}, check: STARTING, mode: 'write', expected: 'hold' },
  {
    name: 'so does one that only a person can mend',
    step: {},
    check: stuck('Refused', ''),
    mode: 'write',
    expected: 'hold',
  },
  {
    name: 'one that works in spite of its fault does not',
    step: {},
    check: { ...stuck('VolumeCannotGrow', ''), holds: false },
    mode: 'write',
    expected: 'write',
  },
  {
    name: 'one ready stage does not undo the hold of another',
    step: {},
    check: READY,
    mode: 'hold',
    expected: 'hold',
  },
  { name: 'an open gate changes nothing', step: GATE, check: READY, mode: 'write', expected: 'write' },
  {
    name: 'behind a gate that was never open nothing begins',
    step: GATE,
    check: STARTING,
    mode: 'write',
    expected: undefined,
  },
  {
    name: 'behind one that was, what is broken can be corrected',
    step: GATE,
    check: STARTING,
    mode: 'write',
    provisioned: true,
    expected: 'hold',
  },
] as const;

describe('how far the next steps may go', () => {
  for (const { name, step, check, mode, expected, ...rest } of cases) {
    test(name, () => {
      assert.equal(modeAfter(step, check, mode, 'provisioned' in rest), expected);
    });
  }

  test('what writes to the stores comes behind the gate, and all but the last step speak for a stage', () => {
    const gate = STEPS.findIndex((step) => step.gate);
    assert.deepEqual(
      STEPS.slice(gate + 1).map(({ name }) => name),
      ['spark', 'relay', 'ingest', 'audit', 'drain'],
    );
    assert.deepEqual(
      STEPS.filter(({ stage }) => !stage).map(({ name }) => name),
      ['drain'],
    );
  });
});

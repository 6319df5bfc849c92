import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from '../kube/client.ts';
import { IMAGES, pipelineOf } from '../specs/testing.ts';
import { type Check, notReady, READY, stuck } from '../status/check.ts';
import { Cluster } from './cluster.ts';
import { modeAfter, runSteps, STEPS } from './pipeline.ts';
import type { Context, Step } from './step.ts';

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
  {
    name: 'a stage that rolls holds the next',
    step: {},
    check: STARTING,
    mode: 'write',
    provisioned: true,
    expected: 'hold',
  },
  {
    name: 'before there is data nothing is held',
    step: {},
    check: STARTING,
    mode: 'write',
    expected: 'write',
  },
  {
    name: 'so does one that only a person can mend',
    step: {},
    check: stuck('Refused', ''),
    mode: 'write',
    provisioned: true,
    expected: 'hold',
  },
  {
    name: 'one that works in spite of its fault does not',
    step: {},
    check: { ...stuck('VolumeCannotGrow', ''), holds: false },
    mode: 'write',
    provisioned: true,
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

/** What the steps are given of a pipeline whose stores were provisioned before; none of them asks the API server. */
function contextOf(): Context {
  const pipeline = pipelineOf({});
  const config = new KubeConfig();
  const server = { name: 'none', server: 'http://none.invalid', skipTLSVerify: false };
  config.loadFromClusterAndUser(server, { name: 'none' });
  return {
    pipeline,
    conditions: [],
    provisioned: true,
    provisionedNow: false,
    images: IMAGES,
    cluster: new Cluster({ client: new KubeClient(config) }, pipeline),
    exec: () => Promise.reject(new Error('no node is asked anything')),
    reports: [],
    password: () => '',
    now: () => new Date(),
    tell: () => {},
  };
}

describe('whether the stores are provisioned as this spec asks', () => {
  const gates: { name: string; check: Check; expected: boolean[] }[] = [
    { name: 'once the gate is open', check: READY, expected: [false, false, true] },
    { name: 'while it is being done', check: STARTING, expected: [false, false, false] },
    { name: 'where it can’t be done', check: stuck('JobFailed', ''), expected: [false, false, false] },
  ];
  for (const { name, check, expected } of gates)
    test(`is known to the steps ${name}`, async () => {
      const known: boolean[] = [];
      const step = (name: string, answer: Check): Step => ({
        name,
        run: async ({ provisionedNow }) => {
          known.push(provisionedNow);
          return answer;
        },
      });
      await runSteps(contextOf(), [
        step('store', READY),
        { ...step('gate', check), ...GATE },
        step('after', READY),
      ]);
      assert.deepEqual(known, expected);
    });
});

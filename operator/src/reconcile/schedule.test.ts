import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition } from '../api/status.ts';
import { requeueAfterMs } from './schedule.ts';

const NOW = new Date('2026-01-01T01:00:00Z');

function ready(status: Condition['status'], forSeconds: number, cassandra = 'Ready'): Condition[] {
  const lastTransitionTime = new Date(NOW.getTime() - forSeconds * 1000).toISOString();
  const rest = { message: '', observedGeneration: 1, lastTransitionTime };
  return [
    { type: 'Ready', status, reason: '', ...rest },
    { type: 'CassandraReady', status: 'True', reason: cassandra, ...rest },
  ];
}

const cases = [
  { name: 'ready: a watch tells what changes', conditions: ready('True', 5), seconds: 1800 },
  { name: 'ready, with work going on in a stage', conditions: ready('True', 5, 'Repairing'), seconds: 20 },
  {
    name: 'ready, with workers that nobody can ask',
    conditions: ready('True', 5, 'ReportsUnreachable'),
    seconds: 1800,
  },
  { name: 'not ready just now', conditions: ready('False', 0), seconds: 3 },
  { name: 'not ready for a minute', conditions: ready('False', 60), seconds: 6 },
  { name: 'not ready for long', conditions: ready('False', 3600), seconds: 20 },
  { name: 'nothing known', conditions: [], seconds: 3 },
];

describe('how soon a pipeline is looked at again', () => {
  for (const { name, conditions, seconds } of cases) {
    test(name, () => assert.equal(requeueAfterMs(conditions, NOW), seconds * 1000));
  }
});

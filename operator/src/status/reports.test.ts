import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REPLAY_ANNOTATION } from '../api/replay.ts';
import { type Check, READY } from './check.ts';
import { replayCheck } from './replay.ts';
import { type Report, reportedCheck } from './reports.ts';

const RUNNING: Report = { ready: true, stage: 'Spark', reason: 'Running', message: '', figures: {} };

const cases: { name: string; reports: Report[]; expected: Check }[] = [
  { name: 'nobody answers', reports: [], expected: READY },
  { name: 'it runs', reports: [RUNNING], expected: READY },
  {
    name: 'another stage has a fault',
    reports: [{ ...RUNNING, ready: false, stage: 'Kafka' }],
    expected: READY,
  },
  {
    name: 'it waits for something',
    reports: [{ ...RUNNING, ready: false, reason: 'Starting', message: 'soon' }],
    expected: { ready: false, reason: 'Starting', message: 'soon' },
  },
  {
    name: 'only a person can mend it',
    reports: [{ ...RUNNING, ready: false, reason: 'SqlInvalid', message: 'spark.sql: no id' }],
    expected: { ready: false, reason: 'SqlInvalid', message: 'spark.sql: no id', stuck: true },
  },
  {
    name: 'it runs and has something to tell',
    reports: [{ ...RUNNING, reason: 'ReplayRefused', message: 'there is no partition 9' }],
    expected: { ready: true, reason: 'ReplayRefused', message: 'there is no partition 9' },
  },
];

describe('what a worker says of the stage Spark', () => {
  for (const { name, reports, expected } of cases) {
    test(name, () => assert.deepEqual(reportedCheck('Spark', reports), expected));
  }
});

test('a schema that the registry refuses is told of its stage, in the worker’s words, and is a person’s to mend', () => {
  const message = 'the registry refuses the schema: fields.title; undo the change';
  const provision: Report = {
    ready: false,
    stage: 'SchemaRegistry',
    reason: 'SchemaIncompatible',
    message,
    figures: {},
  };
  const reports = [RUNNING, provision];
  const refused: Check = { ready: false, reason: 'SchemaIncompatible', message, stuck: true };
  assert.deepEqual(reportedCheck('SchemaRegistry', reports), refused);
  assert.deepEqual(reportedCheck('Workers', reports), READY);
});

test('a replay that can’t be understood is told, and holds nothing up', () => {
  assert.deepEqual(replayCheck({ annotations: {} }), READY);
  assert.deepEqual(replayCheck({ annotations: { [REPLAY_ANNOTATION]: 'earliest' } }), READY);
  const refused = replayCheck({ annotations: { [REPLAY_ANNOTATION]: 'yesterday' } });
  assert.equal(refused.ready, true);
  assert.equal(refused.reason, 'ReplayRefused');
  assert.match(refused.message ?? '', /replay-from"\] is "yesterday": it must be earliest, a time as/);
});

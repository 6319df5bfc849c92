import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition } from '../api/status.ts';
import { ingestStop, type Stop, stillUnderWay } from './drain.ts';
import { type Report, unreachable } from './reports.ts';

function report(figures: Record<string, number>): Report {
  return { ready: true, stage: 'Worker', reason: 'Running', message: '', figures };
}

const relay = (relayedForMs: number) => report({ relayedForMs });
const spark = (readToEndAgoMs: number) => report({ readToEndAgoMs });
const STANDBY = report({ standby: 1 });

const cases: { name: string; stop: Stop; reports: Report[]; expected: RegExp | undefined }[] = [
  {
    name: 'ingest runs: whatever the figures',
    stop: { why: 'ingest is being stopped' },
    reports: [relay(60_000), spark(0)],
    expected: /ingest is being stopped/,
  },
  {
    name: 'all was published and read long after ingest had stopped',
    stop: { ms: 30_000 },
    reports: [STANDBY, relay(60_000), spark(5_000)],
    expected: undefined,
  },
  {
    name: 'Spark has read to the end only before ingest had stopped',
    stop: { ms: 20_000 },
    reports: [relay(60_000), spark(9_000)],
    expected: /until Spark has read/,
  },
  {
    name: 'Spark has read to the end only before the relay had published all',
    stop: { ms: 60_000 },
    reports: [relay(20_000), spark(9_000)],
    expected: /until Spark has read/,
  },
  {
    name: 'the relay is behind',
    stop: { ms: 60_000 },
    reports: [relay(0), spark(0)],
    expected: /until the relay has published/,
  },
  {
    name: 'Spark has not read to the end yet',
    stop: { ms: 60_000 },
    reports: [relay(60_000), report({ lag: 7 })],
    expected: /until Spark has read/,
  },
  {
    name: 'no relay tells',
    stop: { ms: 60_000 },
    reports: [STANDBY, spark(0)],
    expected: /until the relay has published/,
  },
  {
    name: 'the operator can’t ask anybody',
    stop: { ms: 60_000 },
    reports: [unreachable('http://10.0.0.1:8080/readyz', 3)],
    expected: /none of the 3 workers .*10\.0\.0\.1:8080/,
  },
  {
    name: 'nobody tells anything',
    stop: { ms: 60_000 },
    reports: [],
    expected: /until the relay has published/,
  },
];

describe('what of a suspended pipeline is still under way', () => {
  for (const { name, stop, reports, expected } of cases) {
    test(name, () => {
      const actual = stillUnderWay(stop, reports);
      if (expected) assert.match(actual ?? '', expected);
      else assert.equal(actual, undefined);
    });
  }
});

describe('how long nothing has been fetched', () => {
  const now = new Date('2026-03-08T00:00:30Z');
  const told = (status: Condition['status'], observedGeneration: number, message = ''): Condition => ({
    type: 'WorkersReady',
    status,
    reason: 'Reason',
    message,
    observedGeneration,
    lastTransitionTime: '2026-03-08T00:00:00Z',
  });
  const cases: { name: string; told?: Condition; expected: Stop }[] = [
    { name: 'is known since the workers are ready', told: told('True', 2), expected: { ms: 30_000 } },
    { name: 'is unknown at first', expected: { why: 'ingest is being stopped' } },
    {
      name: 'is unknown while the condition is of an earlier spec',
      told: told('True', 1),
      expected: { why: 'ingest is being stopped' },
    },
    {
      name: 'is unknown where a worker is not as it should be, which is said in its words',
      told: told('False', 2, 'pod users-relay-1: no node fits'),
      expected: { why: 'waits until WorkersReady is True: pod users-relay-1: no node fits' },
    },
  ];
  for (const { name, told, expected } of cases)
    test(name, () => assert.deepEqual(ingestStop(told, 2, now), expected));
});

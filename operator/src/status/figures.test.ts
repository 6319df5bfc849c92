import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { figuresOf } from './figures.ts';
import type { Report } from './reports.ts';

function report(figures: Record<string, number>): Report {
  return { ready: true, stage: 'Worker', reason: 'Running', message: '', figures };
}

const standby = report({ standby: 1, records: 3 });
const spark = report({ usersPerMinute: 120, lag: 7, rows: 1000 });

const cases: { name: string; reports: Report[]; expected: unknown }[] = [
  { name: 'nobody answers', reports: [], expected: undefined },
  { name: 'only one that stands by', reports: [standby], expected: undefined },
  { name: 'Spark alone', reports: [spark], expected: { usersPerMinute: 120, lagRecords: 7 } },
  {
    name: 'how long users took',
    reports: [report({ latencyP50Ms: 900, latencyP99Ms: 2100 })],
    expected: { latencyP50Millis: 900, latencyP99Millis: 2100 },
  },
  {
    name: 'a relay that is behind',
    reports: [standby, report({ lagBytes: 900, relayedForMs: 0 }), spark],
    expected: { usersPerMinute: 120, lagRecords: 7, lagBytes: 900 },
  },
  {
    name: 'a relay that keeps up, while the server writes for itself',
    reports: [report({ lagBytes: 56, relayedForMs: 3000 })],
    expected: { lagBytes: 0 },
  },
];

describe('the figures of a pipeline', () => {
  for (const { name, reports, expected } of cases) {
    test(name, () => assert.deepEqual(figuresOf(reports), expected));
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition } from '../api/status.ts';
import { auditOf, isNews, verdict } from './intact.ts';
import type { Report, Verdict } from './reports.ts';

const INTACT: Verdict = { status: 'True', reason: 'DataIntact', message: 'nothing differs' };
const UNKNOWN: Verdict = { status: 'Unknown', reason: 'StreamBehind', message: 'it waits' };

function report(intact?: Verdict, figures: Record<string, number> = {}): Report {
  return {
    ready: true,
    stage: 'Worker',
    reason: 'Running',
    message: '',
    figures,
    ...(intact ? { intact } : {}),
  };
}

const condition = (told: Verdict): Condition => ({
  type: 'DataIntact',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...told,
});

const cases: {
  name: string;
  suspended?: boolean;
  reports: Report[];
  before?: Verdict;
  expected: Partial<Verdict>;
}[] = [
  { name: 'nobody has compared yet', reports: [report()], expected: { reason: 'NotCompared' } },
  { name: 'the audit says so', reports: [report(), report(INTACT)], expected: INTACT },
  { name: 'the audit says nothing just now', reports: [], before: INTACT, expected: INTACT },
  {
    name: 'the audit says nothing, and could not tell before',
    reports: [],
    before: UNKNOWN,
    expected: { reason: 'NotCompared' },
  },
  { name: 'the audit can no longer tell', reports: [report(UNKNOWN)], before: INTACT, expected: UNKNOWN },
  {
    name: 'it is suspended',
    suspended: true,
    reports: [report(INTACT)],
    expected: { status: 'Unknown', reason: 'Suspended' },
  },
];

describe('whether the data is intact', () => {
  for (const { name, suspended = false, reports, before, expected } of cases) {
    test(name, () => {
      const told = verdict(suspended, reports, before ? [condition(before)] : []);
      assert.deepEqual({ ...told, ...expected }, told);
    });
  }
});

test('what the condition already says is no news', () => {
  assert.ok(isNews([report(INTACT)], []));
  assert.ok(isNews([report(UNKNOWN)], [condition(INTACT)]));
  assert.ok(!isNews([report(INTACT)], [condition(INTACT)]));
  assert.ok(!isNews([], []));
});

test('the figures are of the last audit that was completed', () => {
  const figures = {
    auditedAt: 1_767_225_600,
    auditUsers: 5,
    auditRows: 4,
    auditDiffering: 1,
    auditSeconds: 2,
  };
  assert.deepEqual(auditOf([report(), report(INTACT, { ...figures, auditUnsettled: 0 })]), {
    comparedTime: '2026-01-01T00:00:00Z',
    users: 5,
    rows: 4,
    differing: 1,
    seconds: 2,
    unsettled: 0,
  });
  assert.equal(auditOf([report(UNKNOWN)]), undefined);
});

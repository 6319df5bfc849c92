import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition } from '../api/status.ts';
import { type Audit, auditOf, isNews, verdict } from './intact.ts';
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

const SINCE = '2026-01-01T00:00:00Z';
const SINCE_SECONDS = Date.parse(SINCE) / 1000;
const NOW = new Date('2026-01-02T00:00:00Z');
const MINUTE = 60;

const condition = (told: Verdict): Condition => ({
  type: 'DataIntact',
  observedGeneration: 2,
  lastTransitionTime: SINCE,
  ...told,
});

/** When so many minutes before NOW were. */
const minutesAgo = (minutes: number) => NOW.getTime() / 1000 - minutes * MINUTE;

const compared = (minutes: number, seconds = 10) =>
  report(INTACT, { auditedAt: minutesAgo(minutes), auditSeconds: seconds });

const audited = (minutes: number): Audit => ({
  comparedTime: new Date(minutesAgo(minutes) * 1000).toISOString(),
});

const cases: {
  name: string;
  suspended?: boolean;
  generation?: number;
  reports?: Report[];
  before?: Verdict;
  audit?: Audit;
  expected: Partial<Verdict>;
}[] = [
  { name: 'nobody has compared yet', reports: [report()], expected: { reason: 'NotCompared' } },
  { name: 'the audit says so', reports: [report(), compared(1)], before: UNKNOWN, expected: INTACT },
  { name: 'the audit says nothing just now', before: INTACT, audit: audited(70), expected: INTACT },
  {
    name: 'the audit has said nothing for long',
    before: INTACT,
    audit: audited(80),
    expected: { status: 'Unknown', reason: 'NotCompared' },
  },
  {
    name: 'the audit comes to no end',
    reports: [compared(80)],
    before: INTACT,
    expected: { status: 'Unknown', reason: 'NotCompared' },
  },
  {
    name: 'a comparison takes longer than the interval',
    reports: [compared(80, 10 * MINUTE)],
    before: INTACT,
    expected: INTACT,
  },
  {
    name: 'the resource has changed',
    generation: 3,
    reports: [compared(1)],
    before: INTACT,
    expected: { status: 'Unknown', reason: 'NotCompared' },
  },
  {
    name: 'it was compared before the resource changed',
    reports: [report(INTACT, { auditedAt: SINCE_SECONDS - 1 })],
    before: UNKNOWN,
    expected: { status: 'Unknown', reason: 'NotCompared' },
  },
  {
    name: 'the audit says nothing, and could not tell before',
    before: UNKNOWN,
    expected: { reason: 'NotCompared' },
  },
  { name: 'the audit can no longer tell', reports: [report(UNKNOWN)], before: INTACT, expected: UNKNOWN },
  {
    name: 'it is suspended',
    suspended: true,
    reports: [compared(1)],
    expected: { status: 'Unknown', reason: 'Suspended' },
  },
];

describe('whether the data is intact', () => {
  for (const { name, suspended = false, generation = 2, reports = [], before, audit, expected } of cases) {
    test(name, () => {
      const conditions = before ? [condition(before)] : [];
      const told = verdict(reports, {
        suspended,
        generation,
        intervalMs: 5 * MINUTE * 1000,
        conditions,
        audit,
        now: NOW,
      });
      assert.deepEqual({ ...told, ...expected }, told);
    });
  }
});

test('what the condition already says is no news', () => {
  assert.ok(isNews([report(INTACT)], []));
  assert.ok(isNews([report(UNKNOWN)], [condition(INTACT)]));
  assert.ok(!isNews([report(INTACT)], [condition(INTACT)]));
  assert.ok(!isNews([], []));
  const earlier = report(INTACT, { auditedAt: SINCE_SECONDS - 1 });
  assert.ok(!isNews([earlier], [condition(UNKNOWN)]), 'nor is what was compared before that');
  assert.ok(isNews([compared(1)], [condition(UNKNOWN)]));
});

test('the figures are of the last audit that was completed', () => {
  const figures = {
    auditedAt: 1_767_225_600,
    auditUsers: 5,
    auditRows: 4,
    auditDiffering: 1,
    auditSeconds: 2,
  };
  assert.deepEqual(auditOf([report(), report(INTACT, { ...figures, auditUnsettled: 0 })], undefined), {
    comparedTime: '2026-01-01T00:00:00Z',
    users: 5,
    rows: 4,
    differing: 1,
    seconds: 2,
    unsettled: 0,
  });
  assert.equal(auditOf([report(UNKNOWN)], undefined), undefined);
});

describe('the figures of an audit are renewed', () => {
  const told = (auditedAt: number, auditUsers: number) => [report(INTACT, { auditedAt, auditUsers })];
  const before = auditOf(told(SINCE_SECONDS, 5), undefined);
  const cases = [
    { name: 'not where it came to the same', minutes: 59, users: 5, renewed: false },
    { name: 'where a count has changed', minutes: 5, users: 6, renewed: true },
    { name: 'after an hour, so that it is known to go on', minutes: 60, users: 5, renewed: true },
  ];
  for (const { name, minutes, users, renewed } of cases) {
    test(name, () => {
      const audit = auditOf(told(SINCE_SECONDS + minutes * MINUTE, users), before);
      assert.equal(audit !== before, renewed);
    });
  }
});

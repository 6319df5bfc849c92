import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { STAGES } from '../api/status.ts';
import { type Check, notReady, READY, stuck } from './check.ts';
import { conditions, type Seen, type StageChecks } from './conditions.ts';

const THEN = '2026-01-01T00:00:00Z';
const NOW = '2026-01-01T00:01:00Z';

const all: StageChecks = Object.fromEntries(STAGES.map((stage) => [stage, READY]));

const seen = (stages: StageChecks): Seen => ({ whole: READY, stages });

function told({ whole = READY, checks, suspended }: Omit<Case, 'name' | 'expected'>): Record<string, string> {
  const list = conditions({ whole, stages: checks }, [], 1, NOW, { suspended });
  return Object.fromEntries(list.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

type Case = {
  name: string;
  whole?: Check;
  checks: StageChecks;
  suspended?: boolean;
  expected: Record<string, string>;
};

const cases: Case[] = [
  {
    name: 'being deleted: not ready, on its way, and of no stage anything known',
    whole: notReady('Terminating', 'its pods end'),
    checks: {},
    expected: {
      Ready: 'False Terminating',
      Reconciling: 'True Terminating',
      Stalled: 'False Terminating',
      PostgresReady: 'Unknown Waiting',
      WorkersReady: 'Unknown Waiting',
    },
  },
  {
    name: 'a spec that is no longer understood is no stage’s fault',
    whole: stuck('SpecInvalid', 'spec.source: required'),
    checks: {},
    expected: { Ready: 'False SpecInvalid', Stalled: 'True SpecInvalid', PostgresReady: 'Unknown Waiting' },
  },
  {
    name: 'draining speaks for all',
    whole: notReady('Draining', '7 records to write'),
    checks: { ...all, Spark: notReady('Starting', '') },
    expected: { Ready: 'False Draining', Reconciling: 'True Draining', SparkReady: 'False Starting' },
  },
  {
    name: 'but for what keeps it from draining for good',
    whole: notReady('Draining', '7 records to write'),
    checks: { ...all, Spark: stuck('SqlInvalid', 'no column id') },
    expected: { Ready: 'False SparkSqlInvalid', Stalled: 'True SparkSqlInvalid' },
  },
  {
    name: 'drained: suspended, and as it should be',
    checks: all,
    suspended: true,
    expected: { Ready: 'True Suspended', Reconciling: 'False Done', Stalled: 'False Done' },
  },
  {
    name: 'nothing seen yet: not ready, and on its way',
    checks: {},
    expected: {
      Ready: 'False PostgresWaiting',
      Reconciling: 'True PostgresWaiting',
      PostgresReady: 'Unknown Waiting',
    },
  },
  {
    name: 'every stage ready: users flow',
    checks: all,
    expected: {
      Ready: 'True Running',
      Reconciling: 'False Done',
      Stalled: 'False Done',
      SparkReady: 'True Ready',
    },
  },
  {
    name: 'a stage on its way speaks for all',
    checks: { ...all, Cassandra: notReady('Starting', '0 of 1 pods ready') },
    expected: {
      Ready: 'False CassandraStarting',
      Reconciling: 'True CassandraStarting',
      CassandraReady: 'False Starting',
    },
  },
  {
    name: 'what a person must mend comes before what waits',
    checks: { ...all, Kafka: notReady('Starting', ''), Spark: stuck('SqlInvalid', 'no column id') },
    expected: {
      Ready: 'False SparkSqlInvalid',
      Stalled: 'True SparkSqlInvalid',
      Reconciling: 'False SparkSqlInvalid',
    },
  },
  {
    name: 'a stage that waits for another is no fault of its own',
    checks: {
      Postgres: READY,
      Kafka: READY,
      SchemaRegistry: READY,
      Cassandra: READY,
      Workers: notReady('Provisioning', ''),
    },
    expected: { Ready: 'False WorkersProvisioning', SparkReady: 'Unknown Waiting' },
  },
];

describe('conditions', () => {
  for (const { name, expected, ...given } of cases) {
    test(name, () => {
      const actual = told(given);
      for (const [type, text] of Object.entries(expected)) assert.equal(actual[type], text, type);
    });
  }

  test('a transition time moves only with the status', () => {
    const before = conditions(seen({ ...all, Spark: notReady('Starting', '') }), [], 1, THEN);
    const after = conditions(seen({ ...all, Spark: notReady('Rolling', '') }), before, 2, NOW);
    const time = (type: string) => after.find((condition) => condition.type === type)?.lastTransitionTime;
    assert.equal(time('SparkReady'), THEN);
    const ready = conditions(seen(all), after, 2, NOW).find(({ type }) => type === 'SparkReady');
    assert.equal(ready?.lastTransitionTime, NOW);
  });
});

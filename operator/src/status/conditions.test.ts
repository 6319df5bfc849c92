import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Condition, STAGES } from '../api/status.ts';
import { notReady, READY, stuck } from './check.ts';
import { conditions, type StageChecks } from './conditions.ts';

const THEN = '2026-01-01T00:00:00Z';
const NOW = '2026-01-01T00:01:00Z';

const all: StageChecks = Object.fromEntries(STAGES.map((stage) => [stage, READY]));

function told(checks: StageChecks, previous: Condition[] = []): Record<string, string> {
  const list = conditions(checks, previous, 1, NOW);
  return Object.fromEntries(list.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

const cases: { name: string; checks: StageChecks; expected: Record<string, string> }[] = [
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
  for (const { name, checks, expected } of cases) {
    test(name, () => {
      const actual = told(checks);
      for (const [type, text] of Object.entries(expected)) assert.equal(actual[type], text, type);
    });
  }

  test('a transition time moves only with the status', () => {
    const before = conditions({ ...all, Spark: notReady('Starting', '') }, [], 1, THEN);
    const after = conditions({ ...all, Spark: notReady('Rolling', '') }, before, 2, NOW);
    const time = (type: string) => after.find((condition) => condition.type === type)?.lastTransitionTime;
    assert.equal(time('SparkReady'), THEN);
    const ready = conditions(all, after, 2, NOW).find(({ type }) => type === 'SparkReady');
    assert.equal(ready?.lastTransitionTime, NOW);
  });
});

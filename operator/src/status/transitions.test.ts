import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { STAGES } from '../api/status.ts';
import { notReady, READY, stuck } from './check.ts';
import { conditions, type Seen, type StageChecks } from './conditions.ts';
import type { Verdict } from './reports.ts';
import { transitions } from './transitions.ts';

const all: StageChecks = Object.fromEntries(STAGES.map((stage) => [stage, READY]));
const NOTHING: Seen = { whole: READY, stages: {} };
const seen = (stages: StageChecks): Seen => ({ whole: READY, stages });

test('data that differ are a warning, and what is unknown is no event', () => {
  const list = (intact: Verdict) => conditions(seen(all), [], 1, '2026-01-01T00:00:00Z', { intact });
  const unknown = list({ status: 'Unknown', reason: 'NotCompared', message: '' });
  const differs = list({ status: 'False', reason: 'DataDiffers', message: '3 of them differ' });
  assert.deepEqual(
    transitions(unknown, differs).map(({ type, reason, message }) => [type, reason, message]),
    [['Warning', 'DataDiffers', '3 of them differ']],
  );
  assert.deepEqual(transitions(differs, unknown), []);
});

function events(before: Seen | undefined, after: Seen): string[] {
  const list = (of: Seen) => conditions(of, [], 1, '2026-01-01T00:00:00Z');
  return transitions(before ? list(before) : [], list(after)).map(({ type, reason }) => `${type} ${reason}`);
}

const cases: { name: string; before?: Seen; after: Seen; expected: string[] }[] = [
  {
    name: 'a first look tells of the whole, and of no stage that it has not seen',
    after: { ...NOTHING, whole: notReady('SpecInvalid', '') },
    expected: ['Normal SpecInvalid'],
  },
  {
    name: 'a stage that speaks for all is told of once',
    before: NOTHING,
    after: seen({ Postgres: notReady('Starting', ''), Cassandra: notReady('Starting', '') }),
    expected: ['Normal PostgresStarting', 'Normal CassandraStarting'],
  },
  {
    name: 'a stage becomes ready, and with it the whole',
    before: seen({ ...all, Spark: notReady('Starting', '') }),
    after: seen(all),
    expected: ['Normal Running', 'Normal SparkReady'],
  },
  {
    name: 'what a person must mend is a warning',
    before: seen(all),
    after: seen({ ...all, Spark: stuck('SqlInvalid', 'no column id') }),
    expected: ['Warning SparkSqlInvalid'],
  },
  {
    name: 'a reconcile that keeps failing is a warning, though it is tried again',
    before: seen(all),
    after: { whole: notReady('ApiError', 'PATCH …: 500'), stages: all },
    expected: ['Warning ApiError'],
  },
  {
    name: 'another reason of the same status is told',
    before: seen({ ...all, Spark: notReady('Starting', '') }),
    after: seen({ ...all, Spark: notReady('CrashLoopBackOff', '') }),
    expected: ['Normal SparkCrashLoopBackOff'],
  },
  {
    name: 'another message is not',
    before: seen({ ...all, Spark: notReady('Starting', '0 of 1') }),
    after: seen({ ...all, Spark: notReady('Starting', '1 of 1') }),
    expected: [],
  },
  {
    name: 'what goes on in a stage that is ready is told',
    before: seen(all),
    after: seen({ ...all, Cassandra: { ready: true, reason: 'Repairing', message: '' } }),
    expected: ['Normal CassandraRepairing'],
  },
  { name: 'nothing changed, nothing told', before: seen(all), after: seen(all), expected: [] },
];

describe('transitions', () => {
  for (const { name, before, after, expected } of cases) {
    test(name, () => assert.deepEqual(events(before, after), expected));
  }
});

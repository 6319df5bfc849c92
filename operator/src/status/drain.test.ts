import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stillUnderWay } from './drain.ts';
import type { Report } from './reports.ts';

function report(figures: Record<string, number>): Report {
  return { ready: true, stage: 'Worker', reason: 'Running', message: '', figures };
}

const relay = (relayedForMs: number) => report({ relayedForMs });
const spark = (readToEndAgoMs: number) => report({ readToEndAgoMs });
const STANDBY = report({ standby: 1 });

const cases: { name: string; stoppedMs?: number; reports: Report[]; expected: RegExp | undefined }[] = [
  {
    name: 'ingest runs: whatever the figures',
    reports: [relay(60_000), spark(0)],
    expected: /ingest is being stopped/,
  },
  {
    name: 'all was published and read long after ingest had stopped',
    stoppedMs: 30_000,
    reports: [STANDBY, relay(60_000), spark(5_000)],
    expected: undefined,
  },
  {
    name: 'Spark has read to the end only before ingest had stopped',
    stoppedMs: 20_000,
    reports: [relay(60_000), spark(9_000)],
    expected: /until Spark has read/,
  },
  {
    name: 'Spark has read to the end only before the relay had published all',
    stoppedMs: 60_000,
    reports: [relay(20_000), spark(9_000)],
    expected: /until Spark has read/,
  },
  {
    name: 'the relay is behind',
    stoppedMs: 60_000,
    reports: [relay(0), spark(0)],
    expected: /until the relay has published/,
  },
  {
    name: 'Spark has not read to the end yet',
    stoppedMs: 60_000,
    reports: [relay(60_000), report({ lag: 7 })],
    expected: /until Spark has read/,
  },
  {
    name: 'no relay tells',
    stoppedMs: 60_000,
    reports: [STANDBY, spark(0)],
    expected: /until the relay has published/,
  },
  {
    name: 'nobody tells anything',
    stoppedMs: 60_000,
    reports: [],
    expected: /until the relay has published/,
  },
];

describe('what of a suspended pipeline is still under way', () => {
  for (const { name, stoppedMs, reports, expected } of cases) {
    test(name, () => {
      const actual = stillUnderWay(stoppedMs, reports);
      if (expected) assert.match(actual ?? '', expected);
      else assert.equal(actual, undefined);
    });
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lostAfter } from './lost.ts';
import type { Report } from './reports.ts';

const says = (reason: string): Report => ({
  ready: false,
  stage: 'Postgres',
  reason,
  message: '',
  figures: {},
});

describe('what a finished Job made is lost', () => {
  const done = new Date('2026-03-08T00:00:00Z');
  const cases: { name: string; reason: string; afterS: number; lost: boolean }[] = [
    { name: 'where a relay misses its slot', reason: 'SlotMissing', afterS: 60, lost: true },
    { name: 'where the publication was altered', reason: 'PublicationChanged', afterS: 60, lost: true },
    { name: 'where ingest misses a column', reason: 'ColumnMissing', afterS: 3600, lost: true },
    { name: 'not while a worker may not have looked again', reason: 'SlotMissing', afterS: 59, lost: false },
    { name: 'not by a clock that is behind', reason: 'SlotMissing', afterS: -30, lost: false },
    { name: 'not for any other fault', reason: 'PostgresUnreachable', afterS: 3600, lost: false },
  ];
  for (const { name, reason, afterS, lost } of cases)
    test(name, () => {
      const now = new Date(done.getTime() + afterS * 1000);
      const found = lostAfter({ status: { completionTime: done } }, [says('Running'), says(reason)], now);
      assert.equal(found?.reason, lost ? reason : undefined);
    });

  test('not before it is known when it was done', () =>
    assert.equal(lostAfter({ status: {} }, [says('SlotLost')], done), undefined));
});

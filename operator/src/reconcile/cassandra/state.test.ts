import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOfEarlierLife } from './state.ts';

describe('a volume of an earlier life', () => {
  const since = '2026-03-08T00:00:00Z';
  const cases: { name: string; phase: string; madeAt: string; earlier: boolean }[] = [
    { name: 'was in use before', phase: 'Bound', madeAt: '2026-03-07T23:59:59Z', earlier: true },
    { name: 'was never bound', phase: 'Pending', madeAt: '2026-03-07T23:59:59Z', earlier: false },
    { name: 'came with the ring', phase: 'Bound', madeAt: since, earlier: false },
    { name: 'came after it', phase: 'Bound', madeAt: '2026-03-08T00:00:01Z', earlier: false },
  ];
  for (const { name, phase, madeAt, earlier } of cases) {
    const metadata = { creationTimestamp: new Date(madeAt) };
    test(`${name}: ${earlier}`, () =>
      assert.equal(isOfEarlierLife({ metadata, status: { phase } }, since), earlier));
  }
});

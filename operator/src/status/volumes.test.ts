import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { type Fate, fate, leastRequest, resizeCheck } from './volumes.ts';

type Shape = {
  phase?: string;
  size: string;
  capacity?: string;
  className?: string;
  /** What the driver says went wrong. */
  error?: string;
  /** How far the driver is. */
  state?: string;
};

function claim({ phase, size, capacity, className, error, state }: Shape): V1PersistentVolumeClaim {
  return {
    spec: {
      resources: { requests: { storage: size } },
      ...(className ? { storageClassName: className } : {}),
    },
    status: {
      ...(phase ? { phase } : {}),
      ...(capacity ? { capacity: { storage: capacity } } : {}),
      ...(error ? { conditions: [{ type: 'ControllerResizeError', status: 'True', message: error }] } : {}),
      ...(state ? { allocatedResourceStatuses: { storage: state } } : {}),
    },
  };
}

describe('what becomes of a volume', () => {
  const bound = { phase: 'Bound', size: '1Gi', capacity: '1Gi', className: 'fast' };
  const pending = { phase: 'Pending', size: '1Gi', className: 'fast' };
  const cases: { name: string; live: Shape; wanted: Shape; becomes: Fate }[] = [
    {
      name: 'it is as it is wanted',
      live: bound,
      wanted: { size: '1Gi', className: 'fast' },
      becomes: 'fits',
    },
    { name: 'it is as wanted in other words', live: bound, wanted: { size: '1024Mi' }, becomes: 'fits' },
    { name: 'no class is asked for', live: bound, wanted: { size: '1Gi' }, becomes: 'fits' },
    { name: 'it is too small', live: bound, wanted: { size: '2Gi' }, becomes: 'grows' },
    { name: 'it is larger than it has to be', live: bound, wanted: { size: '500Mi' }, becomes: 'fits' },
    {
      name: 'it is not yet as large as it was asked for',
      live: { ...bound, size: '2Gi' },
      wanted: { size: '2Gi' },
      becomes: 'resizes',
    },
    {
      name: 'its driver has failed to make it as large as it is wanted',
      live: { ...bound, size: '2Gi', error: 'no space' },
      wanted: { size: '2Gi' },
      becomes: 'resizes',
    },
    {
      name: 'it grows, and is wanted as it was',
      live: { ...bound, size: '10Ti' },
      wanted: { size: '1Gi' },
      becomes: 'fits',
    },
    {
      name: 'its driver has failed, and it is wanted as it was',
      live: { ...bound, size: '10Ti', error: 'no space' },
      wanted: { size: '1Gi' },
      becomes: 'asksForLess',
    },
    {
      name: 'its driver never can, and it is wanted as it was',
      live: { ...bound, size: '10Ti', state: 'NodeResizeInfeasible' },
      wanted: { size: '1Gi' },
      becomes: 'asksForLess',
    },
    {
      name: 'its driver has failed, and it asks for no more than it must',
      live: { ...bound, size: '1025Mi', error: 'no space' },
      wanted: { size: '1Gi' },
      becomes: 'fits',
    },
    {
      name: 'it grows further than it is wanted now',
      live: { ...bound, size: '10Ti' },
      wanted: { size: '2Gi' },
      becomes: 'asksForLess',
    },
    {
      name: 'it has grown',
      live: { ...bound, size: '2Gi', capacity: '2Gi' },
      wanted: { size: '2Gi' },
      becomes: 'fits',
    },
    {
      name: 'it holds data under another class',
      live: bound,
      wanted: { size: '1Gi', className: 'slow' },
      becomes: 'isOfAnotherClass',
    },
    {
      name: 'it never came about and is wanted elsewhere',
      live: pending,
      wanted: { size: '1Gi', className: 'slow' },
      becomes: 'isReplaced',
    },
    {
      name: 'it never came about and is wanted smaller',
      live: pending,
      wanted: { size: '500Mi' },
      becomes: 'isReplaced',
    },
    {
      name: 'it has yet to come about',
      live: pending,
      wanted: { size: '1Gi', className: 'fast' },
      becomes: 'fits',
    },
    {
      name: 'it lost what it was bound to',
      live: { ...bound, phase: 'Lost' },
      wanted: { size: '2Gi' },
      becomes: 'fits',
    },
  ];
  for (const { name, live, wanted, becomes } of cases) {
    test(`${name}: ${becomes}`, () => assert.equal(fate(claim(live), claim(wanted)), becomes));
  }
});

describe('a volume that never came about, and is not as it is wanted', () => {
  const wantedSince = new Date('2026-03-08T00:00:01Z');
  const cases: { name: string; madeAt: string; becomes: Fate }[] = [
    { name: 'was made before its StatefulSet', madeAt: '2026-03-08T00:00:00Z', becomes: 'isReplaced' },
    { name: 'in the same second', madeAt: '2026-03-08T00:00:01Z', becomes: 'isReplaced' },
    { name: 'after it, by admission', madeAt: '2026-03-08T00:00:02Z', becomes: 'fits' },
  ];
  for (const { name, madeAt, becomes } of cases)
    test(`${name}: ${becomes}`, () => {
      const live = claim({ phase: 'Pending', size: '2Gi', className: 'slow' });
      const metadata = { creationTimestamp: new Date(madeAt) };
      const wanted = claim({ size: '1Gi', className: 'fast' });
      assert.equal(fate({ ...live, metadata }, wanted, wantedSince), becomes);
    });
});

describe('the least that a volume is asked for', () => {
  const cases: [capacity: string, wanted: string, least: string][] = [
    ['1Gi', '2Gi', '2Gi'],
    ['1Gi', '1Gi', '1025Mi'],
    ['2Gi', '1Gi', '2049Mi'],
    ['1073741825', '1Gi', '1025Mi'],
    ['1023Mi', '500Mi', '1Gi'],
  ];
  for (const [capacity, wanted, least] of cases) {
    test(`${capacity}, wanted ${wanted}: ${least}`, () =>
      assert.equal(leastRequest(claim({ size: '10Ti', capacity }), claim({ size: wanted })), least));
  }
});

describe('a volume that is to grow', () => {
  const growing = { phase: 'Bound', size: '10Ti', capacity: '1Gi' };
  const cases: { name: string; live: Shape; reason: string; stuck: boolean; says: RegExp }[] = [
    { name: 'is on its way', live: growing, reason: 'VolumeResizing', stuck: false, says: /1Gi of 10Ti/ },
    {
      name: 'has a driver that failed and tries again',
      live: { ...growing, error: 'no space', state: 'ControllerResizeInProgress' },
      reason: 'VolumeResizeFailed',
      stuck: false,
      says: /stays at 1Gi of 10Ti; its driver says: no space; .* set storage.size to what it can do, 1Gi/,
    },
    {
      name: 'is too large for its driver',
      live: { ...growing, error: 'no space', state: 'ControllerResizeInfeasible' },
      reason: 'VolumeResizeFailed',
      stuck: true,
      says: /no space/,
    },
    {
      name: 'is too large for its node, which says no more',
      live: { ...growing, state: 'NodeResizeInfeasible' },
      reason: 'VolumeResizeFailed',
      stuck: true,
      says: /NodeResizeInfeasible/,
    },
  ];
  for (const { name, live, reason, stuck, says } of cases) {
    test(name, () => {
      const check = resizeCheck(claim(live), live.size);
      assert.ok(!check.ready);
      assert.deepEqual([check.reason, check.stuck === true], [reason, stuck]);
      assert.match(check.message, says);
    });
  }
});

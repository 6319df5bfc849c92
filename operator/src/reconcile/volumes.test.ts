import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { type Fate, fate } from './volumes.ts';

type Shape = { phase?: string; size: string; capacity?: string; className?: string };

function claim({ phase, size, capacity, className }: Shape): V1PersistentVolumeClaim {
  return {
    spec: {
      resources: { requests: { storage: size } },
      ...(className ? { storageClassName: className } : {}),
    },
    status: { ...(phase ? { phase } : {}), ...(capacity ? { capacity: { storage: capacity } } : {}) },
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

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Lease, LeaseSpec, Move, Observation } from './lease.ts';
import { leaseFor, nextMove, recordOf } from './lease.ts';

const lease = (spec: LeaseSpec, resourceVersion = '7'): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'operator', namespace: 'system', uid: 'u', resourceVersion },
  spec,
});

const theirs = lease({
  holderIdentity: 'them',
  leaseDurationSeconds: 15,
  renewTime: '1970-01-01T00:00:00.000000Z',
});
const seenAt = (at: number, of = theirs): Observation => ({ record: recordOf(of), at });

const cases: { name: string; lease?: Lease; seen?: Observation; now?: number; move: Move }[] = [
  { name: 'no lease yet is created', move: 'create' },
  { name: 'our own is renewed', lease: lease({ holderIdentity: 'me' }), move: 'renew' },
  { name: 'one that was given up is taken at once', lease: lease({ holderIdentity: '' }), move: 'take' },
  { name: "another's is waited for when first seen, however old its renewTime", lease: theirs, move: 'wait' },
  {
    name: "another's is waited for within its duration",
    lease: theirs,
    seen: seenAt(0),
    now: 15_000,
    move: 'wait',
  },
  {
    name: "another's is taken once unchanged for longer",
    lease: theirs,
    seen: seenAt(0),
    now: 15_001,
    move: 'take',
  },
  {
    name: 'a renewal begins the wait anew',
    lease: lease(theirs.spec ?? {}, '8'),
    seen: seenAt(0),
    now: 60_000,
    move: 'wait',
  },
];

describe('the next move of a candidate', () => {
  for (const { name, lease, seen, now = 0, move } of cases) {
    test(name, () => assert.equal(nextMove(lease, 'me', seen, now), move));
  }
});

describe('the lease that is written', () => {
  const holder = {
    identity: 'me',
    name: 'operator',
    namespace: 'system',
    durationSeconds: 15,
    date: new Date('2026-01-02T03:04:05.678Z'),
  };

  test('a take-over counts a transition and keeps the resourceVersion as precondition', () => {
    const taken = leaseFor('take', lease({ holderIdentity: 'them', leaseTransitions: 2 }), holder);
    assert.equal(taken.metadata.resourceVersion, '7');
    assert.deepEqual(taken.spec, {
      holderIdentity: 'me',
      leaseDurationSeconds: 15,
      leaseTransitions: 3,
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:04:05.678000Z',
    });
  });

  test('a renewal moves the renewTime alone', () => {
    const mine: LeaseSpec = {
      holderIdentity: 'me',
      acquireTime: 'before',
      leaseTransitions: 3,
      leaseDurationSeconds: 15,
    };
    const renewed = leaseFor('renew', lease(mine), holder);
    assert.deepEqual(renewed.spec, { ...mine, renewTime: '2026-01-02T03:04:05.678000Z' });
  });
});

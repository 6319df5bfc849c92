import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1ContainerStatus, V1Job, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { jobCheck, stuckPod, workloadCheck } from './workloads.ts';

function workload(generation: number, replicas: number, status: V1StatefulSet['status']): V1StatefulSet {
  return {
    metadata: { name: 'users-spark', generation },
    spec: { replicas, selector: {}, template: {}, serviceName: '' },
    ...(status ? { status } : {}),
  };
}

function waitingPod(reason: string, message: string): V1Pod {
  const container = { name: 'main', image: '', imageID: '', ready: false, restartCount: 3 };
  return {
    metadata: { name: 'users-spark-0' },
    status: { containerStatuses: [{ ...container, state: { waiting: { reason, message } } }] },
  };
}

const unschedulable: V1Pod = {
  metadata: { name: 'users-spark-0' },
  status: {
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: '0/1 nodes: Insufficient memory',
      },
    ],
  },
};

const NOW = new Date('2026-03-08T00:10:00Z');

/** A pod of a node that answered until 00:00 at most. */
function podAt(deletionTimestamp: string | undefined, ready: object, phase = 'Running'): V1Pod {
  const contained = { type: 'ContainersReady', status: 'True' };
  return {
    metadata: {
      name: 'users-spark-0',
      ...(deletionTimestamp ? { deletionTimestamp: new Date(deletionTimestamp) } : {}),
    },
    spec: { containers: [], nodeName: 'worker-1' },
    status: { phase, conditions: [contained, { type: 'Ready', status: 'False', ...ready }] },
  };
}

const down = { replicas: 1, readyReplicas: 0, updatedReplicas: 1, observedGeneration: 1 };

const up = { replicas: 1, readyReplicas: 1, updatedReplicas: 1 };

const cases: { name: string; live: V1StatefulSet | undefined; pods: V1Pod[]; reason: string }[] = [
  {
    name: 'all pods ready and new',
    live: workload(1, 1, { ...up, observedGeneration: 1 }),
    pods: [],
    reason: 'ready',
  },
  { name: 'nothing there yet', live: undefined, pods: [], reason: 'Creating' },
  {
    name: 'a quota that lets no pod be made',
    live: workload(1, 1, {
      replicas: 0,
      observedGeneration: 1,
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }],
    }),
    pods: [],
    reason: 'FailedCreate',
  },
  {
    name: 'a status of an older generation says nothing',
    live: workload(2, 1, { ...up, observedGeneration: 1 }),
    pods: [],
    reason: 'Rolling',
  },
  {
    name: 'an old pod stands in for a new one that is not ready',
    live: workload(2, 1, { ...up, replicas: 2, observedGeneration: 2 }),
    pods: [],
    reason: 'Rolling',
  },
  {
    name: 'a pod too many has yet to end',
    live: workload(2, 1, { ...up, replicas: 2, updatedReplicas: 2, observedGeneration: 2 }),
    pods: [],
    reason: 'Stopping',
  },
  {
    name: 'an old pod still runs',
    live: workload(2, 1, { ...up, updatedReplicas: 0, observedGeneration: 2 }),
    pods: [],
    reason: 'Rolling',
  },
  {
    name: 'scaled to none',
    live: workload(1, 0, { replicas: 0, observedGeneration: 1 }),
    pods: [],
    reason: 'ready',
  },
  {
    name: 'an image that does not exist',
    live: workload(1, 1, undefined),
    pods: [waitingPod('ImagePullBackOff', 'not found')],
    reason: 'ImagePullBackOff',
  },
  {
    name: 'a pod that falls over',
    live: workload(1, 1, undefined),
    pods: [waitingPod('CrashLoopBackOff', '')],
    reason: 'CrashLoopBackOff',
  },
  {
    name: 'no node has the memory',
    live: workload(1, 1, undefined),
    pods: [unschedulable],
    reason: 'Unschedulable',
  },
];

const onNodes: { name: string; pod: V1Pod; reason: string }[] = [
  { name: 'a node that has just stopped to answer', pod: podAt(undefined, {}), reason: 'NodeLost' },
  {
    name: 'a pod that outstays its deletion',
    pod: podAt('2026-03-08T00:08:00Z', { reason: 'ContainersNotReady' }),
    reason: 'NodeLost',
  },
  { name: 'a pod that has time to end', pod: podAt('2026-03-08T00:09:30Z', {}), reason: 'Starting' },
  {
    name: 'an ended pod that a finalizer holds',
    pod: podAt('2026-03-08T00:08:00Z', {}, 'Failed'),
    reason: 'Starting',
  },
  {
    name: 'a pod that its kubelet calls not ready',
    pod: podAt(undefined, { reason: 'ReadinessGatesNotReady' }),
    reason: 'Starting',
  },
];

describe('workloadCheck', () => {
  for (const { name, pod, reason } of onNodes)
    test(name, () => {
      const check = workloadCheck(workload(1, 1, down), [pod], NOW);
      assert.ok(!check.ready);
      assert.equal(check.reason, reason);
      const wayOut =
        reason === 'NodeLost' ? /worker-1 .*out-of-service/ : /lasts, see kubectl describe pod users-spark-0/;
      assert.match(check.message, wayOut);
    });

  for (const { name, live, pods, reason } of cases) {
    test(name, () => {
      const check = workloadCheck(live, pods, NOW);
      assert.equal(check.ready ? 'ready' : check.reason, reason);
    });
  }
});

describe('the pod for which a StatefulSet waits in vain', () => {
  type State = 'works' | 'isStuck' | 'isNew' | 'begins' | 'ends' | 'isMissing';
  const set = (status: V1StatefulSet['status']) => {
    const live = workload(1, 3, { observedGeneration: 1, updateRevision: 'new', replicas: 0, ...status });
    return { ...live, metadata: { ...live.metadata, uid: 'set' } };
  };
  const isReady = (state: State) => ['works', 'isNew'].includes(state);
  const pod = (state: State, ordinal: number): V1Pod => ({
    metadata: {
      name: `users-spark-${ordinal}`,
      labels: { 'controller-revision-hash': ['isNew', 'begins'].includes(state) ? 'new' : 'old' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'users-spark', uid: 'set' }],
      ...(state === 'ends' ? { deletionTimestamp: new Date() } : {}),
    },
    status: { conditions: [{ type: 'Ready', status: isReady(state) ? 'True' : 'False' }] },
  });
  const cases: { name: string; states: State[]; status?: V1StatefulSet['status']; found?: number }[] = [
    { name: 'the only one there is', states: ['isStuck'], found: 0 },
    { name: 'one of two', states: ['isStuck', 'works'], found: 0 },
    { name: 'one of three', states: ['works', 'works', 'isStuck'], found: 2 },
    { name: 'the lower one of two of three', states: ['works', 'isStuck', 'isStuck'], found: 1 },
    { name: 'the lowest of three', states: ['isStuck', 'isStuck', 'isStuck'], found: 0 },
    { name: 'none before the one that was replaced is ready', states: ['begins', 'isStuck', 'isStuck'] },
    { name: 'the next one then', states: ['isNew', 'isStuck', 'isStuck'], found: 1 },
    { name: 'none while a higher one is new and not ready', states: ['isStuck', 'works', 'begins'] },
    { name: 'none while another ends', states: ['isStuck', 'isStuck', 'ends'] },
    { name: 'none before a lower one is back', states: ['isMissing', 'isStuck', 'works'] },
    {
      name: 'the lowest, which comes before one that is away',
      states: ['isStuck', 'works', 'isMissing'],
      found: 0,
    },
    {
      name: 'none where the controller knows of another',
      states: ['isStuck', 'works'],
      status: { replicas: 3, readyReplicas: 1 },
    },
    {
      name: 'none where the controller knows it to be ready',
      states: ['isStuck', 'works'],
      status: { replicas: 2, readyReplicas: 2 },
    },
    { name: 'none of the newest template', states: ['begins'] },
    { name: 'none of all that are ready', states: ['works', 'isNew'] },
  ];
  for (const { name, states, status, found } of cases) {
    test(name, () => {
      const pods = states.flatMap((state, ordinal) => (state === 'isMissing' ? [] : [pod(state, ordinal)]));
      const readyReplicas = states.filter(isReady).length;
      const live = set({ replicas: pods.length, readyReplicas, ...status });
      const expected = found === undefined ? undefined : `users-spark-${found}`;
      assert.equal(stuckPod(live, pods.reverse())?.metadata?.name, expected);
    });
  }
});

describe('jobCheck', () => {
  const job = (type?: string): V1Job => ({
    metadata: { name: 'users-provision-1' },
    status: type ? { conditions: [{ type, status: 'True', message: 'has reached the limit' }] } : {},
  });

  test('a complete Job is ready', () => assert.equal(jobCheck(job('Complete'), [], NOW).ready, true));
  test('a running Job is on its way', () => {
    const check = jobCheck(job(), [], NOW);
    assert.equal(check.ready ? '' : check.reason, 'Provisioning');
  });
  test('a failed Job needs a person, and says where to look', () => {
    const check = jobCheck(job('Failed'), [], NOW);
    assert.ok(!check.ready && check.stuck);
    assert.match(check.message, /users-provision-1.*log/);
  });

  const ended = (
    name: string,
    message: string,
    conditions: string[] = [],
    of = 'users-provision-1',
  ): V1Pod => ({
    metadata: {
      name,
      labels: { 'batch.kubernetes.io/job-name': of },
      creationTimestamp: new Date(`2026-03-08T00:00:0${name}Z`),
    },
    status: {
      phase: 'Failed',
      conditions: conditions.map((type) => ({ type, status: 'True' })),
      containerStatuses: [
        { name: 'provision', state: { terminated: { exitCode: 1, message } } },
      ] as V1ContainerStatus[],
    },
  });
  const told: { name: string; type?: string; pods: V1Pod[]; says: RegExp }[] = [
    {
      name: 'the newest that failed',
      pods: [ended('1', 'old'), ended('2', 'new')],
      says: /pod 2: new; see kubectl logs 2/,
    },
    {
      name: 'it of a Job that failed for good',
      type: 'Failed',
      pods: [ended('1', 'why')],
      says: /limit; pod 1: why;.*delete the Job/,
    },
    { name: 'none that was drained', pods: [ended('1', '', ['DisruptionTarget'])], says: /is running/ },
    { name: "none of another Job's", pods: [ended('1', 'old', [], 'users-provision-0')], says: /is running/ },
  ];
  for (const { name, type, pods, says } of told)
    test(`tells of its pods ${name}`, () => {
      const check = jobCheck(job(type), pods, NOW);
      assert.match(check.ready ? '' : check.message, says);
    });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../src/kube/object.ts';
import { Reference } from './reference.ts';
import type { State } from './state.ts';

type Content = { version?: string; replicas?: number; hash?: string; more?: KubeObject[] };

function workload(namespace: string, { version = '1', replicas = 1 }: Content): KubeObject {
  const metadata = { name: 'users-relay', namespace, uid: `uid-of-${namespace}`, resourceVersion: version };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas } };
}

function pod(namespace: string, hash: string): KubeObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: 'users-relay',
    uid: `uid-of-${namespace}`,
  };
  const metadata = { name: `users-relay-${hash}`, namespace, uid: `pod-${hash}`, ownerReferences: [owner] };
  return { apiVersion: 'v1', kind: 'Pod', metadata };
}

function state(namespace: string, content: Content = {}, deeds: State['deeds'] = []): State {
  const objects = [
    workload(namespace, content),
    pod(namespace, content.hash ?? namespace),
    ...(content.more ?? []),
  ];
  return { namespace, objects, deeds };
}

const reference = new Reference([state('one', { version: '10' }), state('two', { version: '20' })], 'users');

const cases: { name: string; state: State; says: RegExp | undefined }[] = [
  { name: 'the same but for what differs anyway', state: state('three', { version: '30' }), says: undefined },
  {
    name: 'another value',
    state: state('three', { replicas: 2 }),
    says: /Deployment\/users-relay\/spec\/replicas is "2", without a fault "1"/,
  },
  {
    name: 'an object too many',
    state: state('three', { more: [pod('three', 'second')] }),
    says: /Pod\/users-relay-\*#1 is too much/,
  },
  {
    name: 'an object that is missing',
    state: { ...state('three'), objects: [pod('three', 'x')] },
    says: /Deployment\/users-relay is missing/,
  },
  {
    name: 'an owner that no longer stands',
    state: { ...state('three'), objects: [workload('three', {}), pod('four', 'x')] },
    says: /ownerReferences\/0\/uid is "uid-of-four", without a fault "<uid of Deployment>"/,
  },
  {
    name: 'what was made more often',
    state: state('three', {}, [{ verb: 'create', resource: 'jobs', name: 'users-provision' }]),
    says: /created jobs\/\*-\* 1 times, at most 0/,
  },
];

describe('a reference', () => {
  for (const { name, state, says } of cases) {
    test(name, () => {
      const differences = reference.differences(state).join('\n');
      if (says) assert.match(differences, says);
      else assert.equal(differences, '');
    });
  }
});

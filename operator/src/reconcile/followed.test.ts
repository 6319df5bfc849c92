import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { SECRET } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { type Kind, resourcePath } from '../kube/resources.ts';
import { MADE_FROM } from '../specs/meta.ts';
import { allObjects, externalPipeline, fullPipeline } from '../specs/testing.ts';
import { podFault } from '../status/pods.ts';
import { jobCheck, stuckPod, workloadCheck } from '../status/workloads.ts';
import { FOLLOWED } from './followed.ts';
import { OWNED } from './owned.ts';

const CHART = join(import.meta.dirname, '../../../charts/userstream-operator/templates/_helpers.tpl');

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[] };

/** The rules of the operator's role, which are plain YAML between the lines of the template. */
function rules(): Rule[] {
  const [, text = ''] =
    /define "userstream.rules" -}}\n([\s\S]*?)\n{{- end/.exec(readFileSync(CHART, 'utf8')) ?? [];
  return parse(text.replaceAll(/{{.*?}}/gs, ''));
}

function verbsOn(kind: Kind): string[] {
  const group = kind.apiVersion.includes('/') ? kind.apiVersion.split('/')[0] : '';
  const resource = resourcePath(kind).split('/').at(-1) ?? '';
  const fitting = rules().filter(
    (rule) => rule.apiGroups.includes(group ?? '') && rule.resources.includes(resource),
  );
  return fitting.flatMap(({ verbs }) => verbs);
}

const id = ({ apiVersion, kind }: Kind) => `${apiVersion} ${kind}`;

describe('what the operator follows', () => {
  const followed = FOLLOWED.map(({ kind }) => id(kind));

  test('is every kind that it makes', () => {
    const made = [fullPipeline(), externalPipeline()].flatMap((pipeline) => allObjects(pipeline).map(id));
    assert.deepEqual(
      [...new Set(made)].filter((kind) => !followed.includes(kind)),
      [],
    );
  });

  test('is found by the labels that its objects bear', () => {
    const selected = FOLLOWED.filter(({ labelSelector }) => labelSelector);
    assert.ok(selected.every(({ labelSelector }) => labelSelector === 'app.kubernetes.io/name=userstream'));
    for (const object of allObjects(fullPipeline())) {
      assert.equal(object.metadata.labels?.['app.kubernetes.io/name'], 'userstream', id(object));
    }
  });

  test('is of Secrets the metadata alone', () => {
    assert.equal(FOLLOWED.find(({ kind }) => id(kind) === id(SECRET))?.keep, undefined);
  });

  test('is kept as far as the checks look', () => {
    const kept = (object: object, kind: string) => {
      const keep = FOLLOWED.find((followed) => followed.kind.kind === kind)?.keep;
      return JSON.parse(JSON.stringify(keep?.(object as KubeObject)));
    };
    const now = new Date('2026-03-08T00:10:00Z');
    const metadata = {
      name: 'users-spark-0',
      uid: '1',
      generation: 2,
      ownerReferences: [{ uid: 'set', name: 'x' }],
    };
    const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: 'now' }];
    const state = { waiting: { reason: 'ImagePullBackOff', message: 'not found' } };
    const pod = {
      metadata: {
        ...metadata,
        labels: { 'controller-revision-hash': 'old', 'app.kubernetes.io/name': 'userstream' },
      },
      spec: { containers: [] },
      status: {
        phase: 'Pending',
        conditions,
        containerStatuses: [{ name: 'main', image: 'a:1', ready: false, state }],
      },
    };
    const set = {
      metadata: { ...metadata, uid: 'set' },
      spec: {
        replicas: 1,
        template: { spec: { containers: [{ name: 'main', image: 'a:1', args: ['x'] }] } },
      },
      status: { observedGeneration: 2, replicas: 1, updateRevision: 'new' },
    };
    const annotations = { [MADE_FROM]: 'x', other: 'y' };
    const made = kept({ ...set, metadata: { ...metadata, annotations } }, 'StatefulSet');
    assert.deepEqual(made.metadata.annotations, { [MADE_FROM]: 'x' });
    const images = { spec: { containers: [{ name: 'main', image: 'a:1' }] } };
    assert.deepEqual(kept(set, 'StatefulSet').spec.template, images);
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' };
    const starved = { metadata, spec: { replicas: 1 }, status: { conditions: [failure] } };
    const complete = { metadata, status: { conditions: [{ type: 'Complete', status: 'True' }] } };
    assert.deepEqual(podFault([kept(pod, 'Pod')], now), podFault([pod as never], now));
    assert.equal(podFault([pod as never], now)?.ready, false);
    const gone = { ...pod, metadata: { ...metadata, deletionTimestamp: '2026-03-08T00:00:00Z' } };
    const lost = { ...gone, spec: { nodeName: 'worker-1' }, status: { phase: 'Running' } };
    assert.match(JSON.stringify(podFault([kept(lost, 'Pod')], now)), /NodeLost.*taint node worker-1 /);
    assert.equal(stuckPod(kept(set, 'StatefulSet'), [kept(pod, 'Pod')])?.metadata?.name, 'users-spark-0');
    assert.deepEqual(workloadCheck(kept(set, 'StatefulSet'), [], now), workloadCheck(set as never, [], now));
    assert.deepEqual(
      workloadCheck(kept(starved, 'Deployment'), [], now),
      workloadCheck(starved as never, [], now),
    );
    assert.ok(jobCheck(kept(complete, 'Job'), [], now).ready);
    const strimzi = { metadata, spec: {}, status: { observedGeneration: 2, conditions: [failure] } };
    for (const kind of ['Kafka', 'KafkaNodePool', 'KafkaTopic'])
      assert.deepEqual(kept(strimzi, kind).status, strimzi.status, kind);
  });

  for (const { kind } of FOLLOWED) {
    test(`${id(kind)} may be listed and watched by the chart's role`, () => {
      const verbs = verbsOn(kind);
      for (const verb of ['list', 'watch']) assert.ok(verbs.includes(verb), verb);
    });
  }

  for (const kind of OWNED) {
    test(`${id(kind)} may be made, changed and taken away by the chart's role`, () => {
      const verbs = verbsOn(kind);
      for (const verb of ['get', 'create', 'patch', 'delete']) assert.ok(verbs.includes(verb), verb);
    });
  }
});

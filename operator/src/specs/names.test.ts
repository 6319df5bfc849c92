import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pipeline } from '../api/resource.ts';
import { LONGEST_NAME, LONGEST_STRIMZI_NAME } from '../crd/definition.ts';
import type { KubeObject } from '../kube/object.ts';
import { allObjects, fullPipeline, pipelineOf } from './testing.ts';

const LABEL = 63;
const OBJECT_NAME = 253;

/** The longest of what Kubernetes or Strimzi make of an object's name and put into a label, a host name or a Service. */
const derived: Record<string, (name: string, object: KubeObject) => string[]> = {
  Service: (name) => [name],
  Job: (name) => [name],
  // The revision's hash has up to ten characters; a hundred nodes are the most that the schema allows.
  StatefulSet: (name) => [`${name}-${'0'.repeat(10)}`, `${name}-99`],
  Kafka: (name) => [`${name}-kafka-bootstrap`, `${name}-entity-operator`],
  KafkaNodePool: (name, { metadata }) => [`${metadata.labels?.['strimzi.io/cluster']}-${name}-100`],
};

const longest = (pipeline: Pipeline, length: number): Pipeline => ({
  ...pipeline,
  namespace: 'n'.repeat(63),
  name: 'p'.repeat(length),
});

const cases = [
  { name: 'with an existing Kafka', pipeline: longest(pipelineOf({}), LONGEST_NAME) },
  { name: 'with a Kafka run by Strimzi', pipeline: longest(fullPipeline(), LONGEST_STRIMZI_NAME) },
];

describe('the longest name in the longest namespace', () => {
  for (const { name, pipeline } of cases) {
    test(`${name} leaves room for every name and label made from it`, () => {
      const objects = allObjects(pipeline);
      const kinds = new Set(objects.map(({ kind }) => kind));
      for (const kind of ['Service', 'Job', 'StatefulSet']) assert.ok(kinds.has(kind), kind);
      for (const object of objects) {
        const { kind, metadata } = object;
        const labels = [
          ...(derived[kind]?.(metadata.name, object) ?? []),
          ...Object.values(metadata.labels ?? {}),
        ];
        for (const text of labels) assert.ok(text.length <= LABEL, `${kind} ${text}: ${text.length}`);
        assert.ok(metadata.name.length <= OBJECT_NAME);
      }
    });
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject, OwnerReference } from '../kube/object.ts';
import { ownerReference } from './meta.ts';
import { type Patch, policyPatch } from './policy.ts';
import { allObjects, fullPipeline } from './testing.ts';

const stays = fullPipeline({ deletionPolicy: 'Retain' });
const goes = fullPipeline({ deletionPolicy: 'Delete' });

const { controller, blockOwnerDeletion, ...pipeline } = ownerReference(stays);
const owner = (apiVersion: string, kind: string): OwnerReference => ({
  apiVersion,
  kind,
  name: 'x',
  uid: kind,
});
const set = owner('apps/v1', 'StatefulSet');
const pool = owner('kafka.strimzi.io/v1', 'KafkaNodePool');
const backup = owner('backup.example/v1', 'Backup');

/** A claim, or what else stays by being owned by nobody that goes. */
const claim = (...ownerReferences: OwnerReference[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data-people-postgres-0', ownerReferences },
});
const owners = (...ownerReferences: OwnerReference[]): Patch => ({ metadata: { ownerReferences } });

describe('what has to change for an object to stay or go', () => {
  const cases: { name: string; live: KubeObject; retain: Patch | undefined; delete: Patch | undefined }[] = [
    { name: 'a claim of nobody', live: claim(), retain: undefined, delete: owners(pipeline) },
    { name: "the pipeline's", live: claim(pipeline), retain: owners(), delete: undefined },
    { name: "a StatefulSet's", live: claim(set), retain: owners(), delete: owners(set, pipeline) },
    { name: "a node pool's", live: claim(pool), retain: owners(), delete: owners(pool, pipeline) },
    {
      name: "others' stay",
      live: claim(backup, set),
      retain: owners(backup),
      delete: owners(backup, set, pipeline),
    },
  ];
  for (const { name, live, ...wanted } of cases)
    test(`owners: ${name}`, () => {
      assert.deepEqual(policyPatch(stays, live), wanted.retain);
      assert.deepEqual(policyPatch(goes, live), wanted.delete);
    });

  for (const kind of ['StatefulSet', 'KafkaNodePool', 'KafkaTopic'])
    test(`every ${kind} is already as its own pipeline says, and not as another does`, () => {
      const of = (made: typeof stays) => allObjects(made).filter((object) => object.kind === kind);
      assert.ok(of(stays).length > 1);
      for (const live of of(goes)) assert.equal(policyPatch(goes, live), undefined);
      for (const live of of(goes)) assert.ok(policyPatch(stays, live), live.metadata.name);
      const retained = of(stays).map((live) => policyPatch(goes, live));
      // A topic is marked only when it is about to go.
      assert.equal(retained.every(Boolean), kind !== 'KafkaTopic');
    });

  test('a node pool keeps all else of its volumes', () => {
    const [live] = allObjects(goes).filter(({ kind }) => kind === 'KafkaNodePool');
    assert.ok(live);
    const { volumes } = (live['spec'] as { storage: { volumes: object[] } }).storage;
    assert.deepEqual(policyPatch(stays, live), {
      spec: { storage: { volumes: volumes.map((volume) => ({ ...volume, deleteClaim: false })) } },
    });
  });
});

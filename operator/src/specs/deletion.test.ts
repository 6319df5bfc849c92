import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1JobSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { secretsOf } from './access.ts';
import { teardownJob } from './provision.ts';
import { allObjects, externalPipeline, fullPipeline, IMAGES, operandObjects, pipelineOf } from './testing.ts';

describe('the deletion policy', () => {
  const secrets = (pipeline: Pipeline) => allObjects(pipeline).filter(({ kind }) => kind === 'Secret');
  const policies = (pipeline: Pipeline) =>
    allObjects(pipeline).flatMap(({ kind, spec }) =>
      kind === 'StatefulSet'
        ? [(spec as Record<string, unknown>)['persistentVolumeClaimRetentionPolicy']]
        : [],
    );

  test('Retain: volumes stay, and so do the Secrets that open them', () => {
    const pipeline = fullPipeline();
    const kept = secrets(pipeline).filter(({ metadata }) => !metadata.ownerReferences);
    assert.deepEqual(kept.map(({ metadata }) => metadata.name).sort(), [
      'people-cassandra',
      'people-postgres',
    ]);
    for (const policy of policies(pipeline))
      assert.deepEqual(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' });
  });

  test('Delete: nothing stays', () => {
    const pipeline = fullPipeline({ deletionPolicy: 'Delete' });
    assert.equal(secrets(pipeline).length, 3);
    for (const secret of secrets(pipeline))
      assert.equal(secret.metadata.ownerReferences?.[0]?.uid, pipeline.uid);
    for (const policy of policies(pipeline))
      assert.deepEqual(policy, { whenDeleted: 'Delete', whenScaled: 'Retain' });
  });
});

test('a suspended pipeline fetches nothing; what takes away what was fetched goes on', () => {
  const replicas = operandObjects(fullPipeline({ suspend: true })).flatMap(({ metadata, spec }) => {
    const count = (spec as { replicas?: number } | undefined)?.replicas;
    return count === undefined ? [] : [[metadata.name, count]];
  });
  assert.deepEqual(Object.fromEntries(replicas), {
    'people-postgres': 1,
    'people-cassandra': 3,
    'people-registry': 1,
    'people-ingest': 0,
    'people-relay': 2,
    'people-spark': 1,
    'people-audit': 0,
  });
});

test('the Secrets that pods read are the ones made for managed stores, or named by the resource', () => {
  assert.deepEqual(secretsOf(fullPipeline()), ['people-audit', 'people-cassandra', 'people-postgres']);
  assert.deepEqual(secretsOf(externalPipeline()), ['authority', 'broker', 'db', 'registry', 'ring']);
  assert.deepEqual(
    secretsOf(pipelineOf({ postgres: { external: { host: 'db', secretRef: { name: 'db' } } } })),
    ['db', 'people-audit', 'people-cassandra'],
  );
});

test('a teardown Job that nobody clears away ends, and goes a day later', () => {
  const { spec } = teardownJob(externalPipeline(), { images: IMAGES, secretHashes: {} }, false);
  const { activeDeadlineSeconds, ttlSecondsAfterFinished } = spec as V1JobSpec;
  assert.deepEqual([activeDeadlineSeconds, ttlSecondsAfterFinished], [360, 86_400]);
});

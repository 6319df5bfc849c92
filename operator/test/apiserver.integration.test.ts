import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { refOf } from '../src/kube/object.ts';
import { startApiServer } from './apiserver.ts';
import { until } from './until.ts';

const configMap = (name: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...metadata },
});

test('with a controller manager, what lost its owner is collected; after stop nothing is left', async (t) => {
  const api = await startApiServer({ controllerManager: true });
  t.after(() => api.stop());
  const client = api.adminClient;
  const { apiVersion, kind, metadata } = await client.create(configMap('owner'));
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
  const owned = await client.create(configMap('owned', { ownerReferences: [owner] }));
  await client.delete(refOf(configMap('owner')));
  await until('the owned object is gone', async () => (await client.get(refOf(owned))) === undefined, {
    ms: 60_000,
  });

  await api.stop();
  assert.equal(existsSync(dirname(api.kubeconfig)), false);
  await assert.rejects(fetch(`${api.etcdUrl}/health`));
});

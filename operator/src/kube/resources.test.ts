import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcePath } from './resources.ts';

const pipelines = { apiVersion: 'userstream.dev/v1alpha1', kind: 'UserStreamPipeline' };

test('paths of core and grouped, namespaced and cluster-wide kinds', () => {
  const path = resourcePath;
  assert.equal(
    path({ apiVersion: 'v1', kind: 'Secret', namespace: 'a', name: 'b' }),
    '/api/v1/namespaces/a/secrets/b',
  );
  assert.equal(path({ apiVersion: 'v1', kind: 'Node', name: 'n', namespace: 'ignored' }), '/api/v1/nodes/n');
  assert.equal(path(pipelines), '/apis/userstream.dev/v1alpha1/userstreampipelines');
  assert.equal(
    path({ ...pipelines, namespace: 'a', name: 'b' }, 'status'),
    '/apis/userstream.dev/v1alpha1/namespaces/a/userstreampipelines/b/status',
  );
});

test('what can not be a path is said', () => {
  assert.throws(
    () => resourcePath({ apiVersion: 'v1', kind: 'Nonsense' }),
    /no path is known for v1 Nonsense/,
  );
  assert.throws(() => resourcePath({ ...pipelines, name: 'b' }), /UserStreamPipeline b needs a namespace/);
});

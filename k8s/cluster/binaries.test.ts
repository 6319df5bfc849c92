import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildFlags, kubernetesVersion } from './binaries.ts';

test('the version of Kubernetes is the one that go.mod asks for', () => {
  assert.equal(kubernetesVersion('module m\n\nrequire k8s.io/kubernetes v1.34.4 // indirect\n'), 'v1.34.4');
  assert.equal(
    kubernetesVersion('require (\n\tk8s.io/api v0.34.4\n\tk8s.io/kubernetes v1.34.4\n)\n'),
    'v1.34.4',
  );
  assert.throws(() => kubernetesVersion('module m\n'), /does not require k8s.io\/kubernetes/);
});

test('the binaries know their version', () => {
  const flags = buildFlags('v1.34.4').join(' ');
  for (const value of ['gitVersion=v1.34.4', 'gitMajor=1', 'gitMinor=34'])
    assert.ok(flags.includes(value), value);
});

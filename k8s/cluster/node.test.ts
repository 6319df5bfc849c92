import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { configFiles } from './config.ts';
import { toolEnvironment } from './debian.ts';
import { NETWORK } from './network.ts';
import { certificates } from './pki.ts';
import { processes } from './processes.ts';

const layout = {
  name: 'dev',
  state: '/state',
  binaries: '/bin-cache',
  debian: '/debian',
  pauseImage: 'pause:1',
};

describe("a node's processes", () => {
  test('are the whole of Kubernetes', () =>
    assert.deepEqual(
      processes(layout)
        .map(({ name }) => name)
        .sort(),
      [
        'containerd',
        'coredns',
        'etcd',
        'kube-apiserver',
        'kube-controller-manager',
        'kube-proxy',
        'kube-scheduler',
        'kubelet',
        'storage',
      ],
    ));

  test('read certificates and configuration that are made', () => {
    const made = new Set([
      ...certificates('dev').flatMap(({ file }) =>
        ['crt', 'key', 'kubeconfig'].map((end) => `pki/${file}.${end}`),
      ),
      ...['pki/ca.crt', 'pki/service-accounts.key'],
      ...Object.keys(configFiles(layout)),
    ]);
    const texts = [...processes(layout).flatMap(({ args }) => args), ...Object.values(configFiles(layout))];
    const read = texts.flatMap((text) => [
      ...text.matchAll(/\/state\/([\w./-]+\.(?:crt|key|kubeconfig|json|toml))/g),
    ]);
    for (const [, file = ''] of read) assert.ok(made.has(file), file);
    assert.ok(read.length > 10);
  });

  test('keep to their own cgroup and state', () => {
    const files = configFiles(layout);
    assert.equal(JSON.parse(files['kubelet.json'] ?? '').cgroupRoot, '/userstream-dev');
    assert.match(files['containerd.toml'] ?? '', /root = "\/state\/containerd"/);
  });
});

test('the manifests use the addresses of the network', async () => {
  const addons = await readFile(join(import.meta.dirname, 'addons.yaml'), 'utf8');
  assert.ok(addons.includes(`clusterIP: ${NETWORK.dns}`));
  assert.ok(addons.includes(`addresses: [${NETWORK.node}]`));
});

test("unpacked programs come before the host's, and find their libraries", () => {
  const env = toolEnvironment('/debian', { PATH: '/usr/bin', HOME: '/root' });
  assert.match(env['PATH'] ?? '', /^\/debian\/usr\/sbin:.*:\/usr\/bin$/);
  assert.match(env['LD_LIBRARY_PATH'] ?? '', /^\/debian\/usr\/lib\//);
  assert.equal(env['HOME'], '/root');
});

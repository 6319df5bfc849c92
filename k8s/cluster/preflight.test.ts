import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Facts, isValidName, obstacles } from './preflight.ts';

const GIB = 1024 ** 3;

const fit: Facts = {
  name: 'userstream',
  root: true,
  running: false,
  nameTaken: false,
  missing: [],
  goVersion: 'go1.26.1',
  memory: 16 * GIB,
  cached: false,
  disk: [{ path: '/root', free: 50 * GIB }],
};

describe('what stands in the way of a cluster', () => {
  test('nothing, on a fit machine', () => assert.deepEqual(obstacles(fit), []));

  const cases: [string, Partial<Facts>, RegExp][] = [
    ['not root', { root: false }, /run it as root/],
    ['a program is missing', { missing: ['openssl'] }, /^openssl is missing: apt-get install -y openssl\.$/],
    ['an old Go', { goVersion: 'go1.19.8' }, /Go 1\.24 is needed and go1\.19\.8 is here/],
    ['little memory', { memory: 4 * GIB }, /8 GiB of memory are needed and 4 GiB are available/],
    [
      'little disk',
      { disk: [{ path: '/root', free: 2 * GIB }] },
      /20 GiB of disk are needed and 2 GiB are free at \/root.*USERSTREAM_CACHE/,
    ],
    [
      'little disk for a cluster alone',
      { cached: true, disk: [{ path: '/root', free: 2 * GIB }] },
      /^5 GiB of disk/,
    ],
    ['a bad name', { name: 'My_Cluster' }, /"My_Cluster".*USERSTREAM_CLUSTER/],
    ['a name that is taken', { nameTaken: true }, /exists and is not ours.*ip netns delete/],
  ];
  for (const [name, facts, expected] of cases)
    test(`${name}: one line with the way out`, () => {
      const lines = obstacles({ ...fit, ...facts });
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? '', expected);
    });

  test('without Go, its version is no second obstacle', () =>
    assert.equal(obstacles({ ...fit, missing: ['go'], goVersion: '' }).length, 1));

  test('with programs and images in the cache, less disk will do', () =>
    assert.deepEqual(obstacles({ ...fit, cached: true, disk: [{ path: '/root', free: 6 * GIB }] }), []));

  test('a cluster that runs already needs no more memory or disk', () =>
    assert.deepEqual(obstacles({ ...fit, running: true, memory: 0, disk: [{ path: '/', free: 0 }] }), []));
});

test('a name is short and fit for a node and a namespace', () => {
  for (const name of ['a', 'userstream', 'e2e-12345']) assert.ok(isValidName(name), name);
  for (const name of ['', '-a', 'a-', 'A', 'a/b', '1a', 'a'.repeat(21)]) assert.ok(!isValidName(name), name);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Job } from '@kubernetes/client-node';
import { eraseJob, newest } from './job.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const USERS = { namespace: 'shop', name: 'users' };
const env = [
  { name: 'POSTGRES_PASSWORD', valueFrom: { secretKeyRef: { name: 'users-postgres', key: 'password' } } },
];
const container = {
  name: 'provision',
  image: 'workers',
  command: ['node', 'workers/provision/main.ts'],
  env,
};
const volumes = [{ name: 'config', configMap: { name: 'users-provision' } }];
const pod = { restartPolicy: 'OnFailure', serviceAccountName: 'default', containers: [container], volumes };
const provision: V1Job = {
  metadata: { name: 'users-provision-1' },
  spec: { template: { metadata: { labels: { 'app.kubernetes.io/component': 'provision' } }, spec: pod } },
};

test('the Job gets in where provision does, and runs the erasure instead', () => {
  const { spec, metadata } = eraseJob(USERS, provision, ID);
  const { containers, ...rest } = spec?.template.spec ?? { containers: [] };
  assert.deepEqual(rest, { restartPolicy: 'Never', serviceAccountName: 'default', volumes });
  assert.deepEqual(containers, [
    {
      ...container,
      name: 'erase',
      command: ['node', 'workers/erase/main.ts', ID, 'http://users-spark.shop.svc:8080'],
    },
  ]);
  assert.equal(metadata?.labels?.['app.kubernetes.io/component'], 'erase');
});

test('no pod of it is taken for one of provision', () => {
  const labels = eraseJob(USERS, provision, ID).spec?.template.metadata?.labels;
  assert.equal(labels?.['app.kubernetes.io/component'], 'erase');
});

test('the newest of several provision Jobs counts', () => {
  const job = (name: string, creationTimestamp: string) =>
    ({ metadata: { name, creationTimestamp } }) as unknown as V1Job;
  const jobs = [job('old', '2026-01-01T00:00:00Z'), job('new', '2026-02-01T00:00:00Z')];
  assert.equal(newest(jobs)?.metadata?.name, 'new');
  assert.equal(newest([]), undefined);
});

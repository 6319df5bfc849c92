import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import { appliedOn, isApplied as isAppliedOn, keepsTemplate, stamped } from './applied.ts';
import type { KubeObject } from './object.ts';
import { refOf } from './object.ts';

const labels = { app: 'x' };
const metadata = (name: string) => ({ name, namespace: 'default', labels });

const podTemplate = {
  metadata: { labels },
  spec: {
    restartPolicy: 'Always',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    hostNetwork: false,
    containers: [
      {
        name: 'main',
        image: 'a:1',
        command: ['a', 'b'],
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'FROM', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ],
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: '1000m', memory: '0.5Gi' }, limits: {} },
        securityContext: { capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
        readinessProbe: { httpGet: { path: '/', port: 80 } },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'config', configMap: { name: 'c', items: [{ key: 'a', path: 'a' }] } },
    ],
    tolerations: [{ key: 'a', operator: 'Exists' }],
  },
};

const statefulSet: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: metadata('stateful'),
  spec: {
    replicas: 0,
    serviceName: 'x',
    selector: { matchLabels: labels },
    template: podTemplate,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
      },
    ],
  },
};

const others: KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('service'),
    spec: {
      clusterIP: 'None',
      selector: labels,
      publishNotReadyAddresses: false,
      ports: [{ name: 'a', port: 80 }],
    },
  },
  { apiVersion: 'v1', kind: 'Secret', metadata: metadata('secret'), data: { password: 'YQ==' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata('deployment'), annotations: {}, finalizers: ['userstream.dev/test'] },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: podTemplate },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata('job'),
    spec: { template: { ...podTemplate, spec: { ...podTemplate.spec, restartPolicy: 'Never' } } },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadata('role'),
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata('binding'),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'role' },
    subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: 'default' }],
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata('budget'),
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata('policy'),
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 80 }] }] },
  },
];

const manager = { fieldManager: 'userstream' };

const isApplied = (desired: KubeObject, live: KubeObject | undefined, by: string) =>
  isAppliedOn(desired, live && appliedOn(live, by));

describe('what is applied already, on a real API server', () => {
  let api: ApiServer;

  before(async () => {
    api = await startApiServer();
  });
  after(() => api?.stop());

  for (const object of [statefulSet, ...others]) {
    test(`a ${object.kind} needs no second apply, whatever was defaulted and normalised`, async () => {
      const desired = stamped(object);
      assert.equal(isApplied(desired, undefined, 'userstream'), false);
      await api.adminClient.apply(desired, manager);
      const live = await api.adminClient.get(refOf(object));
      assert.ok(
        isApplied(desired, live, 'userstream'),
        JSON.stringify(live?.metadata.managedFields, null, 1),
      );
      assert.equal(isApplied(desired, live, 'somebody'), false);
    });
  }

  const drifts: { name: string; patch: Record<string, unknown> }[] = [
    { name: 'a value', patch: { spec: { replicas: 3 } } },
    { name: 'a label that went', patch: { metadata: { labels: { app: null } } } },
    {
      name: "an item's field",
      patch: { spec: { template: { spec: { containers: [{ name: 'main', image: 'b:1' }] } } } },
    },
    {
      name: 'a field of a list with one owner',
      patch: { spec: { template: { spec: { tolerations: [] } } } },
    },
    {
      name: 'the annotation with the hash',
      patch: { metadata: { annotations: { 'userstream.dev/applied': 'x' } } },
    },
  ];
  for (const { name, patch } of drifts) {
    test(`somebody else's change is noticed: ${name}`, async () => {
      const desired = stamped(statefulSet);
      await api.adminClient.apply(desired, manager);
      const drifted = await api.adminClient.mergePatch(refOf(statefulSet), patch);
      assert.equal(isApplied(desired, drifted, 'userstream'), false);
      const restored = await api.adminClient.apply(desired, manager);
      assert.ok(isApplied(desired, restored, 'userstream'));
    });
  }

  const wishes: { name: string; spec: Record<string, unknown>; keeps: boolean }[] = [
    { name: 'is kept by a change beside it', spec: { replicas: 5 }, keeps: true },
    {
      name: 'is not kept by a change of it',
      spec: { template: { ...podTemplate, spec: { ...podTemplate.spec, hostNetwork: true } } },
      keeps: false,
    },
  ];
  for (const { name, spec, keeps } of wishes)
    test(`the pod template ${name}, nor once somebody else has changed it`, async () => {
      const applied = await api.adminClient.apply(stamped(statefulSet), manager);
      const desired = stamped({ ...statefulSet, spec: { ...(statefulSet['spec'] as object), ...spec } });
      assert.equal(keepsTemplate(desired, appliedOn(applied, 'userstream')), keeps);
      assert.equal(keepsTemplate(desired, appliedOn(applied, 'somebody')), false);
      const drifted = await api.adminClient.mergePatch(refOf(statefulSet), {
        spec: { template: { spec: { tolerations: [] } } },
      });
      assert.equal(keepsTemplate(desired, appliedOn(drifted, 'userstream')), false);
    });

  test("fields that the operator doesn't want are left to others", async () => {
    const desired = stamped(statefulSet);
    await api.adminClient.apply(desired, manager);
    const noted = await api.adminClient.mergePatch(refOf(statefulSet), {
      metadata: { annotations: { note: 'mine' } },
    });
    assert.ok(isApplied(desired, noted, 'userstream'));
  });

  test('a wish for less, also inside a list with one owner, is a change', async () => {
    const live = await api.adminClient.apply(stamped(statefulSet), manager);
    const spec = { ...podTemplate.spec, tolerations: [{ operator: 'Exists' }] };
    const less = {
      ...statefulSet,
      spec: { ...(statefulSet['spec'] as object), template: { ...podTemplate, spec } },
    };
    assert.equal(isApplied(stamped(less), live, 'userstream'), false);
  });
});

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../../k8s/cluster/run.ts';
import { GROUP } from '../../operator/src/api/pipeline.ts';
import { PLURAL } from '../../operator/src/crd/definition.ts';
import type { KubeObject, ObjectRef } from '../../operator/src/kube/object.ts';
import { refOf } from '../../operator/src/kube/object.ts';
import { type ApiServer, startApiServer } from '../../operator/test/apiserver.ts';
import { binaries } from '../../operator/test/binaries.ts';
import { NAMESPACE, pipelineObject } from '../../operator/test/pipelines.ts';
import { until } from '../../operator/test/until.ts';

const CHART = import.meta.dirname;

/** What the older form of the chart's CRD lacks; no rule of the schema speaks of it. */
const NEW_PROPERTY = /^ {16}suspend:\n(?: {18}.*\n)+/m;

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: `${PLURAL}.${GROUP}`,
};

const deployment = (namespace: string, name: string): ObjectRef => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace,
  name,
});

let api: ApiServer;
let directory: string;
let olderChart: string;

/** What Helm caches goes with the directory. */
async function helm(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: directory };
  return await run(join(await binaries(), 'helm'), ['--kubeconfig', api.kubeconfig, ...args], { env });
}

const release = (name: string, chart: string, namespace: string) => [
  name,
  chart,
  '--namespace',
  namespace,
  '--create-namespace',
];

/** The chart as it was before a property came to its CRD. */
function makeOlderChart(): string {
  const chart = join(directory, 'older');
  cpSync(CHART, chart, { recursive: true, filter: (file) => !file.endsWith('.ts') });
  const template = join(chart, 'templates/crd.yaml');
  const text = readFileSync(template, 'utf8');
  assert.match(text, NEW_PROPERTY);
  writeFileSync(template, text.replace(NEW_PROPERTY, ''));
  return chart;
}

type Properties = Record<string, { properties?: Record<string, unknown> }>;
type Definition = KubeObject & {
  spec: { versions: { schema: { openAPIV3Schema: { properties: Properties } } }[] };
};

async function knowsTheProperty(): Promise<boolean> {
  const found = await api.adminClient.get<Definition>(CRD);
  const properties = found?.spec.versions[0]?.schema.openAPIV3Schema.properties['spec']?.properties;
  assert.ok(properties, 'the CRD stands');
  return 'suspend' in properties;
}

/** A pipeline of a user's, which nothing below may touch. */
async function makePipeline(): Promise<KubeObject> {
  const options = { fieldManager: 'user' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await api.adminClient.apply(namespace, options);
  const make = () => api.adminClient.apply(pipelineObject('users'), options);
  const taken = () => make().then(Boolean, () => false);
  await until('a pipeline is taken', taken);
  return await make();
}

async function standsAsMade(made: KubeObject): Promise<void> {
  const now = await api.adminClient.get(refOf(made));
  assert.equal(now?.metadata.uid, made.metadata.uid);
  assert.equal(now?.metadata.deletionTimestamp, undefined);
}

describe('the chart by Helm', () => {
  let made: KubeObject;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'userstream-helm-'));
    olderChart = makeOlderChart();
    api = await startApiServer();
  });
  after(async () => {
    await api?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('an upgrade upgrades the CRD, and keeps the pipelines', async () => {
    await helm('install', ...release('userstream', olderChart, 'system'));
    made = await makePipeline();
    assert.equal(await knowsTheProperty(), false);
    await helm('upgrade', ...release('userstream', CHART, 'system'));
    assert.equal(await knowsTheProperty(), true);
    await standsAsMade(made);
  });

  test('a second release is refused pipelines that the first runs, though of one namespace', async () => {
    const second = [...release('second', CHART, 'other'), '--set', 'crd.install=false'];
    const both = /release system\/userstream runs the pipelines of all namespaces: give .* watchNamespace/;
    await assert.rejects(helm('install', ...second), both);
    const scope = ['--set', `watchNamespace=${NAMESPACE}`];
    await assert.rejects(helm('install', ...release('second', CHART, 'other'), ...scope), both);
    await helm('upgrade', ...release('userstream', CHART, 'system'), ...scope);
    await assert.rejects(helm('install', ...second, ...scope), /runs the pipelines of team/);
    await assert.rejects(helm('install', ...second), /runs the pipelines of team/);
  });

  test('a second release is refused the CRD, and runs without it', async () => {
    const second = [...release('second', CHART, 'other'), '--set', 'watchNamespace=default'];
    await assert.rejects(helm('install', ...second), /CustomResourceDefinition.*release-name/s);
    await helm('install', ...second, '--set', 'crd.install=false');
    assert.ok(await api.adminClient.get(deployment('other', 'second')));
    await helm('uninstall', 'second', '--namespace', 'other');
    assert.equal(await knowsTheProperty(), true);
    await standsAsMade(made);
  });

  test('who may do nothing outside of a namespace installs a release for it', async () => {
    const metadata = { namespace: 'default', name: 'tenant' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }];
    const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata };
    await api.adminClient.apply({ ...binding, roleRef, subjects }, { fieldManager: 'test' });
    const own = ['--namespace', 'default', '--kube-as-user', 'tenant'];
    const scope = ['--set', 'watchNamespace=default,crd.install=false'];
    await helm('install', 'tenants', CHART, ...own, ...scope);
    await assert.rejects(helm('install', 'twice', CHART, ...own, ...scope), /runs the pipelines of default/);
    await helm('uninstall', 'tenants', ...own);
  });

  test('an uninstallation keeps the CRD and the pipelines', async () => {
    await helm('uninstall', 'userstream', '--namespace', 'system');
    assert.equal(await api.adminClient.get(deployment('system', 'userstream')), undefined);
    await standsAsMade(made);
  });

  test('the same release installed again takes up the CRD that was kept', async () => {
    await helm('install', ...release('userstream', olderChart, 'system'));
    assert.equal(await knowsTheProperty(), false);
    await helm('upgrade', ...release('userstream', CHART, 'system'));
    await standsAsMade(made);
  });

  test('a release that no longer brings the CRD leaves it', async () => {
    await helm('upgrade', ...release('userstream', CHART, 'system'), '--set', 'crd.install=false');
    assert.equal(await knowsTheProperty(), true);
    await standsAsMade(made);
  });

  test('a release of another name takes up the CRD that was kept when it is told to', async () => {
    await helm('uninstall', 'userstream', '--namespace', 'system');
    await assert.rejects(helm('install', ...release('other', CHART, 'elsewhere')), /release-name/);
    await helm('install', ...release('other', CHART, 'elsewhere'), '--take-ownership');
    assert.equal(await knowsTheProperty(), true);
    await standsAsMade(made);
  });
});

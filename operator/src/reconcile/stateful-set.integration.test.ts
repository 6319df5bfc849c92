import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1PersistentVolumeClaim, V1StatefulSet, V1StatefulSetSpec } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, pipelineObject, serve } from '../../test/pipelines.ts';
import { EFFECTS } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import type { PipelineStatus } from '../api/status.ts';
import { KubeClient, loadKubeConfig } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { type KubeObject, type ObjectRef, refOf } from '../kube/object.ts';
import type { ApplyOptions, DeleteOptions } from '../kube/options.ts';
import { Cluster } from './cluster.ts';
import type { PipelineObject } from './pipeline-object.ts';
import { reconcile } from './reconciler.ts';
import { TerminatingError } from './refusals.ts';
import { fitVolumes } from './volumes.ts';

/** Who may do all but look at storage classes, as an operator of one namespace. */
const CONFINED = 'confined';

/** A client whose API server has an admission webhook for what is made: it adds a label and a class to volumes. */
class AdmittedClient extends KubeClient {
  override async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    const isNew = object.kind === 'StatefulSet' && !(await this.get(refOf(object)));
    return await super.apply(isNew ? altered(object) : object, options);
  }
}

/** A client that notes of each StatefulSet, as it is deleted, whether its claims would go, and whether its controller knows. */
class NotingClient extends KubeClient {
  readonly noted: unknown[] = [];

  override async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { metadata, spec, status } = (await this.get<KubeObject & V1StatefulSet>(ref)) ?? {};
    if (ref.kind === 'StatefulSet')
      this.noted.push([
        spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted,
        status?.observedGeneration === metadata?.generation,
      ]);
    return await super.delete(ref, options);
  }
}

function altered<T extends KubeObject>(object: T): T {
  const copy = structuredClone(object);
  for (const { metadata, spec } of (copy['spec'] as V1StatefulSetSpec).volumeClaimTemplates ?? []) {
    Object.assign(metadata?.labels ?? {}, { cost: 'shared' });
    Object.assign(spec ?? {}, { storageClassName: 'growing' });
  }
  return copy;
}

describe('volumes, with the controllers of Kubernetes at work', () => {
  let server: ApiServer;
  let confined: KubeClient;

  const apply = (object: KubeObject) => server.adminClient.apply(object, { fieldManager: 'test' });
  const get = async <T>(apiVersion: string, kind: string, name: string) =>
    (await server.adminClient.get({ apiVersion, kind, namespace: NAMESPACE, name })) as T | undefined;
  const volume = (pipeline: string) =>
    get<V1PersistentVolumeClaim>('v1', 'PersistentVolumeClaim', `data-${pipeline}-postgres-0`);
  const set = (pipeline: string) => get<V1StatefulSet>('apps/v1', 'StatefulSet', `${pipeline}-postgres`);
  const podUid = async (pipeline: string) =>
    (await get<KubeObject>('v1', 'Pod', `${pipeline}-postgres-0`))?.metadata.uid;
  const want = (name: string, storage: { size: string; className: string }) =>
    apply(pipelineObject(name, { postgres: { managed: { storage, maxSlotWalKeepSize: '64Mi' } } }));

  async function run(name: string, client = server.adminClient): Promise<void> {
    await reconcile({ namespace: NAMESPACE, name }, { ...EFFECTS, client }).catch((error) => {
      if (!(error instanceof TerminatingError)) throw error;
    });
  }

  async function postgresReady(name: string) {
    const found = await get<{ status?: PipelineStatus }>(`${GROUP}/${VERSION}`, KIND, name);
    return found?.status?.conditions?.find(({ type }) => type === 'PostgresReady');
  }

  /** Reconciles until `check` holds. */
  const runUntil = (name: string, what: string, check: () => Promise<boolean>, client?: KubeClient) =>
    until(what, () => run(name, client).then(check), { ms: 30_000 });

  const storageClass = (name: string, allowVolumeExpansion: boolean) =>
    apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name },
      provisioner: 'example.org/nobody',
      allowVolumeExpansion,
    });

  /** A volume for the claim that a pipeline's Postgres will make, as a provisioner would have one. */
  const provide = (pipeline: string, className: string) =>
    apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `volume-of-${pipeline}` },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: className,
        hostPath: { path: '/nowhere' },
        claimRef: { namespace: NAMESPACE, name: `data-${pipeline}-postgres-0` },
      },
    });

  /** A pipeline whose Postgres has a pod and a bound volume of 1Gi. */
  async function made(pipeline: string, className: string): Promise<void> {
    await provide(pipeline, className);
    await want(pipeline, { size: '1Gi', className });
    await runUntil(pipeline, 'its pod is there', async () => !!(await podUid(pipeline)));
    const isBound = async () => (await volume(pipeline))?.status?.phase === 'Bound';
    await until('its volume is bound', isBound, { ms: 30_000 });
  }

  const requested = async (pipeline: string) =>
    (await volume(pipeline))?.spec?.resources?.requests?.['storage'];
  const templateSize = async (pipeline: string) =>
    (await set(pipeline))?.spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.['storage'];

  /** Lets a pipeline hold data. */
  async function fill(pipeline: string): Promise<void> {
    const status = { dataSince: '2026-01-01T00:00:00Z' };
    await server.adminClient.mergePatch(
      refOf(pipelineObject(pipeline)),
      { status },
      { subresource: 'status' },
    );
  }
  const volumes = async (pipeline: string) =>
    (await server.adminClient.get<PipelineObject>(refOf(pipelineObject(pipeline))))?.status?.volumes;
  const claimOf = (pipeline: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: NAMESPACE,
    name: `data-${pipeline}-postgres-0`,
  });
  /** What a driver would say of a pipeline's volume. */
  const say = (pipeline: string, status: Record<string, unknown>) =>
    server.adminClient.mergePatch(claimOf(pipeline), { status }, { subresource: 'status' });

  before(async () => {
    server = await startApiServer({ controllerManager: true });
    await serve(server);
    await storageClass('growing', true);
    await storageClass('fixed', false);
    const all = {
      apiGroups: ['', 'apps', 'batch', 'policy', 'rbac.authorization.k8s.io', 'kafka.strimzi.io', GROUP],
      resources: ['*'],
      verbs: ['*'],
    };
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: CONFINED },
      rules: [all],
    });
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: CONFINED },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: CONFINED },
      subjects: [{ kind: 'User', name: CONFINED, apiGroup: 'rbac.authorization.k8s.io' }],
    });
    const config = loadKubeConfig(server.kubeconfig);
    config.users = config.users.map((user) => ({ ...user, impersonateUser: CONFINED }));
    confined = new KubeClient(config);
  });
  after(async () => {
    confined?.close();
    await server?.stop();
  });

  test('grow where their class allows it, and the StatefulSet is made anew around its running pod', async () => {
    await made('grown', 'growing');
    const before = { pod: await podUid('grown'), set: (await set('grown'))?.metadata?.uid };
    await want('grown', { size: '2Gi', className: 'growing' });
    await runUntil(
      'grown',
      'the StatefulSet has the new size',
      async () => (await templateSize('grown')) === '2Gi',
    );
    await until('the pod is its own again', async () => {
      const pod = await get<KubeObject>('v1', 'Pod', 'grown-postgres-0');
      return pod?.metadata.ownerReferences?.[0]?.uid === (await set('grown'))?.metadata?.uid;
    });
    assert.equal(await requested('grown'), '2Gi');
    assert.notEqual((await set('grown'))?.metadata?.uid, before.set);
    assert.equal(await podUid('grown'), before.pod);
    assert.equal((await postgresReady('grown'))?.reason, 'VolumeResizing');
    await say('grown', { capacity: { storage: '2Gi' } });
    await run('grown');
    assert.notEqual((await postgresReady('grown'))?.reason, 'VolumeResizing');
  });

  test('that are to go with the pipeline do not go with a StatefulSet that is made anew', async () => {
    const noting = new NotingClient(loadKubeConfig(server.kubeconfig));
    const wanted = (size: string) => {
      const managed = { storage: { size, className: 'growing' }, maxSlotWalKeepSize: '64Mi' };
      return apply(pipelineObject('going', { deletionPolicy: 'Delete', postgres: { managed } }));
    };
    await provide('going', 'growing');
    await wanted('1Gi');
    const owner = async () => (await volume('going'))?.metadata?.ownerReferences?.[0]?.uid;
    const isOwned = async () => (await set('going'))?.metadata?.uid === (await owner());
    await runUntil(
      'going',
      'the StatefulSet owns its claim',
      async () => !!(await owner()) && (await isOwned()),
    );
    const before = { set: await owner(), claim: (await volume('going'))?.metadata?.uid };
    await until('its volume is bound', async () => (await volume('going'))?.status?.phase === 'Bound');

    await wanted('2Gi');
    const isAnother = async () => ![undefined, before.set].includes(await owner());
    await runUntil(
      'going',
      'another one owns it',
      async () => (await isAnother()) && (await isOwned()),
      noting,
    );
    noting.close();
    assert.equal((await volume('going'))?.metadata?.uid, before.claim);
    assert.deepEqual(noting.noted, [['Retain', true]]);
  });

  test('stay as they are where their class does not allow it, and the condition says so', async () => {
    await made('stays', 'fixed');
    const before = (await set('stays'))?.metadata?.uid;
    await want('stays', { size: '2Gi', className: 'fixed' });
    await run('stays');
    const told = await postgresReady('stays');
    assert.equal(told?.reason, 'VolumeCannotGrow');
    assert.match(told?.message ?? '', /data-stays-postgres-0 can't grow from 1Gi to 2Gi.*class fixed/);
    assert.deepEqual([await requested('stays'), await templateSize('stays')], ['1Gi', '1Gi']);
    assert.equal((await set('stays'))?.metadata?.uid, before);

    await fill('stays');
    await run('stays');
    assert.deepEqual(await volumes('stays'), [{ stage: 'Postgres', size: '1Gi' }]);
    await assert.rejects(
      want('stays', { size: '1023Mi', className: 'fixed' }),
      /a volume can grow, not shrink/,
    );
    await want('stays', { size: '1Gi', className: 'fixed' });
    await run('stays');
    assert.equal(await volumes('stays'), undefined);
  });

  test('that their driver can not make larger say so, and can be set back', async () => {
    await made('failed', 'growing');
    await fill('failed');
    await want('failed', { size: '10Ti', className: 'growing' });
    await runUntil('failed', 'it is to grow', async () => (await templateSize('failed')) === '10Ti');
    const error = { type: 'ControllerResizeError', status: 'True', message: 'no space in the pool' };
    const allocatedResourceStatuses = { storage: 'ControllerResizeInfeasible' };
    await say('failed', { conditions: [error], allocatedResourceStatuses });
    await run('failed');
    const told = await postgresReady('failed');
    assert.equal(told?.reason, 'VolumeResizeFailed');
    assert.match(told?.message ?? '', /stays at 1Gi of 10Ti.*no space in the pool/);
    assert.deepEqual(await volumes('failed'), [{ stage: 'Postgres', size: '1Gi' }]);

    await want('failed', { size: '3Gi', className: 'growing' });
    await runUntil('failed', 'it is to grow less', async () => (await templateSize('failed')) === '3Gi');
    assert.equal(await requested('failed'), '3Gi');
    await want('failed', { size: '1Gi', className: 'growing' });
    await runUntil('failed', 'it may stay', async () => (await templateSize('failed')) === '1Gi');
    assert.equal(await requested('failed'), '1025Mi');
    const spec = { resources: { requests: { storage: '1Gi' } } };
    const toItsSize = server.adminClient.mergePatch(claimOf('failed'), { spec });
    await assert.rejects(toItsSize, /can not be less than status.capacity/);
    await run('failed');
    assert.doesNotMatch((await postgresReady('failed'))?.reason ?? '', /^Volume/);
    assert.equal(await volumes('failed'), undefined);
  });

  test("are asked to grow where their class can't be seen: the API server's refusal is told", async () => {
    await made('unseen', 'fixed');
    await want('unseen', { size: '2Gi', className: 'fixed' });
    await run('unseen', confined);
    const told = await postgresReady('unseen');
    assert.equal(told?.reason, 'VolumeCannotGrow');
    assert.match(told?.message ?? '', /storageclass that provisions the pvc must support resize/);
  });

  test('that never came about are made anew as they are wanted then', async () => {
    await want('pending', { size: '1Gi', className: 'no-such-class' });
    await runUntil('pending', 'its pod is there', async () => !!(await podUid('pending')));
    const before = await podUid('pending');
    await want('pending', { size: '600Mi', className: 'growing' });
    await runUntil('pending', 'its volume is of the other class', async () => {
      const { storageClassName } = (await volume('pending'))?.spec ?? {};
      return storageClassName === 'growing' && (await requested('pending')) === '600Mi';
    });
    await runUntil(
      'pending',
      'its pod is another',
      async () => ![undefined, before].includes(await podUid('pending')),
    );
  });

  test('that have come about meanwhile are not made anew for what was known before', async () => {
    await made('late', 'growing');
    const bound = await volume('late');
    const pipeline = { namespace: NAMESPACE, name: 'late', uid: '' };
    const live = {
      ...bound,
      metadata: { ...bound?.metadata, resourceVersion: '1' },
      status: { phase: 'Pending' },
    };
    const wanted = { spec: { resources: { requests: { storage: '600Mi' } } } };
    const cluster = new Cluster({ client: server.adminClient }, pipeline);
    await assert.rejects(fitVolumes(cluster, [{ pod: 'late-postgres-0', live, wanted }], true), isConflict);
    assert.equal((await volume('late'))?.metadata?.deletionTimestamp, undefined);
  });

  test('that admission has altered are left so, while their StatefulSet is not wanted otherwise', async () => {
    const admitted = new AdmittedClient(loadKubeConfig(server.kubeconfig));
    const applied = async (managed: Record<string, unknown>) => {
      await apply(pipelineObject('altered', { postgres: { managed } }));
      for (const _ of ['once', 'again']) await run('altered', admitted);
      const { metadata, spec } = (await set('altered')) ?? {};
      const memory = spec?.template?.spec?.containers[0]?.resources?.limits?.['memory'];
      const { storageClassName } = spec?.volumeClaimTemplates?.[0]?.spec ?? {};
      return { uid: metadata?.uid, memory, storageClassName };
    };
    const limits = { memory: '3Gi' };
    const first = await applied({ storage: { size: '3Gi' } });
    assert.equal(first.storageClassName, 'growing');
    const second = await applied({ storage: { size: '3Gi' }, resources: { limits } });
    assert.deepEqual(second, { ...first, memory: '3Gi' });
    await apply(pipelineObject('altered', { postgres: { managed: { storage: { size: '4Gi' } } } }));
    await runUntil(
      'altered',
      'it is made anew',
      async () => ![undefined, first.uid].includes((await set('altered'))?.metadata?.uid),
      admitted,
    );
    admitted.close();
  });

  test('that hold something are never taken for another class', async () => {
    await made('kept', 'growing');
    const before = (await volume('kept'))?.metadata?.uid;
    await want('kept', { size: '1Gi', className: 'fixed' });
    await run('kept');
    assert.equal((await postgresReady('kept'))?.reason, 'VolumeClassDiffers');
    assert.equal((await volume('kept'))?.metadata?.uid, before);
  });
});

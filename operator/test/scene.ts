import assert from 'node:assert/strict';
import type { PipelineStatus } from '../src/api/status.ts';
import type { KubeClient } from '../src/kube/client.ts';
import { type KubeObject, type ObjectRef, refOf } from '../src/kube/object.ts';
import type { Kind } from '../src/kube/resources.ts';
import { type PipelineObject, refTo } from '../src/reconcile/pipeline-object.ts';
import { type Dependencies, type Result, reconcile } from '../src/reconcile/reconciler.ts';
import { componentSelector } from '../src/specs/meta.ts';
import { IMAGES } from '../src/specs/testing.ts';
import type { Report } from '../src/status/reports.ts';
import { NAMESPACE, pipelineObject } from './pipelines.ts';

/** What a reconcile is given beside the API server, each of which a test may replace. */
export const EFFECTS: Omit<Dependencies, 'client'> = {
  images: IMAGES,
  exec: () => Promise.reject(new Error('no node is asked anything')),
  readReports: async () => [],
  password: () => 'a-password-of-the-test',
  now: () => new Date(),
  record: () => {},
};

/** What a worker that is ready says of itself. */
export function saying(figures: Record<string, number>): Report {
  return { ready: true, stage: 'Worker', reason: 'Running', message: '', figures };
}

const APPS = { apiVersion: 'apps/v1' };
const JOB = { apiVersion: 'batch/v1', kind: 'Job' };

/** How many a pipeline has at most, one of which may begin in a reconcile. */
const WORKLOADS = 7;

const DONE_AT = '2026-01-01T00:00:01Z';

/** One pipeline on an API server without controllers, whose part a test plays. */
export class Scene {
  readonly #client: KubeClient;
  readonly name: string;

  constructor(client: KubeClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  async apply(spec: Record<string, unknown> = {}): Promise<void> {
    await this.#client.apply(pipelineObject(this.name, spec), { fieldManager: 'test' });
  }

  async annotate(annotations: Record<string, string>): Promise<void> {
    await this.#client.mergePatch(this.#ref, { metadata: { annotations } });
  }

  async delete(): Promise<void> {
    await this.#client.delete(this.#ref);
  }

  /** Applies it, and plays until all of its workloads are as they should be. */
  async run(spec: Record<string, unknown> = {}): Promise<void> {
    await this.apply(spec);
    await this.reconcile();
    await this.provisioned();
    for (let turn = 0; turn < WORKLOADS; turn += 1) {
      await this.settle();
      await this.reconcile();
    }
    assert.equal(await this.reason(), 'Running');
  }

  /** What a reconcile of it is given. */
  dependencies(effects: Partial<Dependencies> = {}): Dependencies {
    return { ...EFFECTS, client: this.#client, ...effects };
  }

  async reconcile(effects: Partial<Dependencies> = {}): Promise<Result> {
    return await reconcile({ namespace: NAMESPACE, name: this.name }, this.dependencies(effects));
  }

  async status(): Promise<PipelineStatus> {
    return (await this.#get())?.status ?? {};
  }

  async version(): Promise<string | undefined> {
    return (await this.#get())?.metadata.resourceVersion;
  }

  /** The reason of the condition Ready. */
  async reason(): Promise<string | undefined> {
    return (await this.status()).conditions?.find(({ type }) => type === 'Ready')?.reason;
  }

  /** The workload of a component. */
  async workload(component: string): Promise<KubeObject | undefined> {
    const all = [...(await this.#list({ ...APPS, kind: 'StatefulSet' })), ...(await this.#deployments())];
    return all.find(({ metadata }) => metadata.name === `${this.name}-${component}`);
  }

  async replicas(component: string): Promise<number | undefined> {
    return ((await this.workload(component))?.['spec'] as { replicas: number } | undefined)?.replicas;
  }

  /** Says of every workload that its pods are as they should be. */
  async settle(): Promise<void> {
    const workloads = [
      ...(await this.#list({ ...APPS, kind: 'StatefulSet' })),
      ...(await this.#deployments()),
    ];
    for (const object of workloads)
      await this.report(object, (object['spec'] as { replicas: number }).replicas);
  }

  /** Says of a workload how many of its pods are ready. */
  async report(object: KubeObject, readyReplicas: number): Promise<void> {
    const { replicas } = object['spec'] as { replicas: number };
    const status = { replicas, readyReplicas, updatedReplicas: replicas };
    await this.#write(object, { ...status, observedGeneration: object.metadata.generation });
  }

  /** The provision Job. */
  async job(): Promise<KubeObject | undefined> {
    return (await this.#list(JOB))[0];
  }

  /** Says that the provision Job has done its work. */
  async provisioned(): Promise<void> {
    const done = (type: string) => ({ type, status: 'True', lastTransitionTime: DONE_AT });
    const conditions = ['SuccessCriteriaMet', 'Complete'].map(done);
    for (const job of await this.#list(JOB))
      await this.#write(job, { startTime: DONE_AT, completionTime: DONE_AT, succeeded: 1, conditions });
  }

  get #ref(): ObjectRef {
    return refTo({ namespace: NAMESPACE, name: this.name });
  }

  #get(): Promise<PipelineObject | undefined> {
    return this.#client.get(this.#ref);
  }

  #deployments(): Promise<KubeObject[]> {
    return this.#list({ ...APPS, kind: 'Deployment' });
  }

  async #list(kind: Kind): Promise<KubeObject[]> {
    const labelSelector = componentSelector(this.name);
    return (await this.#client.list(kind, { namespace: NAMESPACE, labelSelector })).items;
  }

  async #write(object: KubeObject, status: Record<string, unknown>): Promise<void> {
    await this.#client.mergePatch(refOf(object), { status }, { subresource: 'status' });
  }
}

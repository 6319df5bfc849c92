import { setTimeout as sleep } from 'node:timers/promises';
import { GROUP, KIND, VERSION } from '../../src/api/pipeline.ts';
import { type KubeObject, type ObjectRef, refOf } from '../../src/kube/object.ts';
import { until } from '../until.ts';
import { objectsOf } from './discovery.ts';
import { Operator, type OperatorOptions } from './operator.ts';
import { FaultProxy } from './proxy.ts';
import { isReady, isWork, type PipelineObject, saysReady } from './ready.ts';
import type { State } from './state.ts';
import { LEASES, type World } from './world.ts';

export const NAME = 'users';

/** Nothing has been written for this long where a run counts as quiet. */
const QUIET_MS = 1_500;

const POLL_MS = 150;

/** A pipeline in a namespace of its own, with operators of its own behind a proxy of its own. */
export class Run {
  readonly world: World;
  readonly namespace: string;
  readonly proxy: FaultProxy;
  readonly operators: Operator[] = [];
  readonly #options: OperatorOptions;
  /** How many requests had been sent when the user last applied something. */
  #asked = 0;
  /** Whether an operator that ends by itself is started anew, as a Deployment would. */
  restarts = true;
  /** How long a step may take to its end. */
  limitMs = 90_000;

  private constructor(world: World, proxy: FaultProxy, options: OperatorOptions) {
    this.world = world;
    this.proxy = proxy;
    this.namespace = options.namespace;
    this.#options = options;
  }

  /** Makes the namespace; no operator runs yet. */
  static async begin(world: World, options: Omit<OperatorOptions, 'server'>): Promise<Run> {
    const proxy = new FaultProxy(world.api);
    const server = await proxy.listen();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: options.namespace } };
    await world.client.apply(namespace, { fieldManager: 'faults' });
    return new Run(world, proxy, { ...options, server });
  }

  startOperator(): Operator {
    this.restarts = true;
    const operator = new Operator(this.world, `operator-${this.operators.length + 1}`, this.#options);
    this.operators.push(operator);
    return operator;
  }

  /** Whose turn it is now: the operator started last. */
  get operator(): Operator {
    const operator = this.operators.at(-1);
    if (!operator) throw new Error('no operator was started');
    return operator;
  }

  /** Ends the operator as a power cut would, and starts another that need not wait for the Lease to run out. */
  async replaceOperator(): Promise<void> {
    await this.stopOperator();
    this.startOperator();
  }

  async stopOperator(): Promise<void> {
    this.restarts = false;
    await this.operator.kill();
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: LEASES,
      name: this.namespace,
    };
    await this.world.client.delete(lease);
  }

  ref(apiVersion: string, kind: string, name: string): ObjectRef {
    return { apiVersion, kind, namespace: this.namespace, name };
  }

  get pipelineRef(): ObjectRef {
    return this.ref(`${GROUP}/${VERSION}`, KIND, NAME);
  }

  async pipeline(): Promise<PipelineObject | undefined> {
    return (await this.world.client.get(this.pipelineRef)) as PipelineObject | undefined;
  }

  /** Applies the pipeline as its user would. */
  async apply(spec: Record<string, unknown>): Promise<void> {
    const { apiVersion, kind, name, namespace } = this.pipelineRef;
    const object = { apiVersion, kind, metadata: { name, namespace: namespace ?? '' }, spec };
    this.#asked = this.proxy.sent.length;
    await this.world.client.apply(object, { fieldManager: 'user' });
  }

  /** Makes a Secret as users do, with whatever a pipeline may look for in it. */
  async makeSecret(name: string): Promise<void> {
    const data = Object.fromEntries(
      ['username', 'password', 'ca.crt'].map((key) => [key, btoa(`${name} ${key}`)]),
    );
    const metadata = { name, namespace: this.namespace };
    await this.world.client.apply(
      { apiVersion: 'v1', kind: 'Secret', metadata, data },
      { fieldManager: 'user' },
    );
  }

  async delete(): Promise<void> {
    await this.world.client.delete(this.pipelineRef);
  }

  /** Takes away the volumes that a pipeline has left, of which one by the same name would be made again. */
  async removeClaims(): Promise<void> {
    const claims = (await this.objects()).filter(({ kind }) => kind === 'PersistentVolumeClaim');
    for (const claim of claims) await this.world.client.delete(refOf(claim));
  }

  /** All that stands in the namespace. */
  objects(): Promise<KubeObject[]> {
    return objectsOf(this.world.client, this.world.served, this.namespace);
  }

  /** How it stands now, to be compared. */
  async state(): Promise<State> {
    const { namespace } = this;
    const objects = await this.objects();
    return { namespace, objects, deeds: this.world.audit.deeds(namespace) };
  }

  /**
   * Resolves when the pipeline is ready as its spec now says, and nothing is written any more.
   * @throws where it was called ready before its objects were written
   */
  async ready(ms?: number): Promise<void> {
    await this.settled('the pipeline is ready', async () => isReady(await this.pipeline()), ms);
    const since = this.proxy.sent.slice(this.#asked);
    const { generation } = (await this.pipeline())?.metadata ?? {};
    const said = since.findIndex((sent) => saysReady(sent, generation));
    const late = said < 0 ? undefined : since.slice(said).find(isWork);
    if (late) throw new Error(`${late.method} ${late.path} was done after the pipeline was called ready`);
  }

  /** Resolves when the status says why the pipeline isn't ready, and nothing is written any more. */
  says(why: RegExp): Promise<void> {
    return this.settled(`the status says ${why}`, async () => {
      const conditions = (await this.pipeline())?.status?.conditions ?? [];
      return conditions.some(
        ({ type, status, message }) => type === 'Ready' && status === 'False' && why.test(message),
      );
    });
  }

  /** Resolves when the pipeline and all that goes with it are gone, and nothing is written any more. */
  gone(): Promise<void> {
    return this.settled('the pipeline is gone', async () => {
      if (await this.pipeline()) return false;
      const left = await this.objects();
      return !left.some(
        ({ kind, metadata }) => metadata.ownerReferences?.length && kind !== 'PersistentVolumeClaim',
      );
    });
  }

  /** Resolves when `holds` does and nothing is written any more. */
  async settled(what: string, holds: () => Promise<boolean>, ms = this.limitMs): Promise<void> {
    await until(
      what,
      async () => {
        this.#revive();
        await sleep(POLL_MS);
        return this.proxy.quietMs > QUIET_MS && (await holds()) && this.proxy.quietMs > QUIET_MS;
      },
      { ms },
    );
  }

  #revive(): void {
    if (this.restarts && this.operators.length > 0 && this.operator.exitCode !== undefined)
      this.startOperator();
  }

  /** Ends the operators and lets the namespace go. */
  async end(): Promise<void> {
    for (const operator of this.operators) await operator.kill();
    await this.proxy.close();
    const pipeline = await this.pipeline().catch(() => undefined);
    if (pipeline) await this.world.client.mergePatch(this.pipelineRef, { metadata: { finalizers: null } });
    await this.world.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: this.namespace });
  }
}

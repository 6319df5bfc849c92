import { readFileSync } from 'node:fs';
import type { V1PersistentVolumeClaim, V1Pod, V1Secret } from '@kubernetes/client-node';
import type { Client } from 'pg';
import { parse } from 'yaml';
import { GROUP, KIND, VERSION } from '../../operator/src/api/pipeline.ts';
import type { PipelineStatus } from '../../operator/src/api/status.ts';
import type { KubeClient } from '../../operator/src/kube/client.ts';
import type { KubeObject, ObjectRef } from '../../operator/src/kube/object.ts';
import type { Kind } from '../../operator/src/kube/resources.ts';
import { componentSelector } from '../../operator/src/specs/meta.ts';
import type { Credentials } from '../../workers/lib/config.ts';
import { cassandraQuery, cassandraUsers, connectPostgres, postgresQuery, postgresUsers } from './stores.ts';
import type { Users } from './users.ts';

type Rows = Record<string, unknown>[];

/** A pipeline under test and what it consists of, seen through the API server. */
export class World {
  readonly #client: KubeClient;
  readonly namespace: string;
  readonly name: string;

  constructor(client: KubeClient, namespace: string, name: string) {
    this.#client = client;
    this.namespace = namespace;
    this.name = name;
  }

  /** Applies the sample with the given spec merged over its own. */
  async apply(spec: Record<string, unknown>): Promise<void> {
    const sample: KubeObject = parse(
      readFileSync(new URL('../samples/quickstart.yaml', import.meta.url), 'utf8'),
    );
    const metadata = { namespace: this.namespace, name: this.name };
    const merged = { ...(sample['spec'] as object), ...spec };
    await this.#client.apply({ ...sample, metadata, spec: merged }, { fieldManager: 'e2e' });
  }

  #ref(): ObjectRef {
    return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, namespace: this.namespace, name: this.name };
  }

  get(): Promise<(KubeObject & { status?: PipelineStatus }) | undefined> {
    return this.#client.get(this.#ref());
  }

  async delete(): Promise<void> {
    await this.#client.delete(this.#ref());
  }

  async status(): Promise<PipelineStatus> {
    return (await this.get())?.status ?? {};
  }

  /** The names of the pipeline's objects of some kinds, as `Kind/name`. */
  async objects(kinds: Kind[]): Promise<string[]> {
    const labelSelector = componentSelector(this.name);
    const lists = kinds.map((kind) => this.#client.list(kind, { namespace: this.namespace, labelSelector }));
    const items = (await Promise.all(lists)).flatMap(({ items }) => items);
    return items.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
  }

  /** Whether the operator says so of the spec as it is now. */
  async isReady(): Promise<boolean> {
    const object = await this.get();
    const { conditions = [], observedGeneration } = object?.status ?? {};
    if (!object || observedGeneration !== object.metadata.generation) return false;
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  }

  /** Whether a condition has this reason. */
  async says(type: string, reason: string): Promise<boolean> {
    const { conditions = [] } = await this.status();
    return conditions.some((condition) => condition.type === type && condition.reason === reason);
  }

  async credentials(component: string): Promise<Credentials> {
    const ref = {
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: this.namespace,
      name: `${this.name}-${component}`,
    };
    const secret = (await this.#client.get(ref)) as V1Secret | undefined;
    const value = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
    return { username: value('username'), password: value('password') };
  }

  /** The pods of a component, those that are going away left out. */
  pods(component: string): Promise<V1Pod[]> {
    return this.podsBy(this.namespace, componentSelector(this.name, component));
  }

  async podsBy(namespace: string, labelSelector: string): Promise<V1Pod[]> {
    const { items } = await this.#client.list(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace, labelSelector },
    );
    return (items as unknown as V1Pod[]).filter((pod) => !pod.metadata?.deletionTimestamp);
  }

  /** The claims of the pipeline's pods whose names begin so. */
  async claims(prefix: string): Promise<V1PersistentVolumeClaim[]> {
    const labelSelector = componentSelector(this.name);
    const kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
    const { items } = await this.#client.list(kind, { namespace: this.namespace, labelSelector });
    return (items as unknown as V1PersistentVolumeClaim[]).filter(({ metadata }) =>
      metadata?.name?.startsWith(prefix),
    );
  }

  /** The address of a component's first pod. */
  async address(component: string): Promise<string> {
    const [pod] = await this.pods(component);
    return pod?.status?.podIP ?? '';
  }

  /** All users in the pipeline's Postgres, as `sql` makes them. */
  async postgresUsers(sql?: string): Promise<Users> {
    return await postgresUsers(await this.address('postgres'), await this.credentials('postgres'), sql);
  }

  /** All users in the pipeline's Cassandra. */
  async cassandraUsers(): Promise<Users> {
    return await cassandraUsers(await this.address('cassandra'), await this.credentials('cassandra'));
  }

  async connectPostgres(): Promise<Client> {
    return await connectPostgres(await this.address('postgres'), await this.credentials('postgres'));
  }

  async postgresQuery(statements: string): Promise<Rows> {
    return await postgresQuery(
      await this.address('postgres'),
      await this.credentials('postgres'),
      statements,
    );
  }

  async cassandraQuery(query: string): Promise<Rows> {
    return await cassandraQuery(await this.address('cassandra'), await this.credentials('cassandra'), query);
  }
}

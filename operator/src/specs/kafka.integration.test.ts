import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1PodSpec } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { strimziDefinitions } from '../../test/strimzi.ts';
import { until } from '../../test/until.ts';
import type { KubeObject } from '../kube/object.ts';
import { refOf } from '../kube/object.ts';
import { kafkaObjects } from './kafka.ts';
import { policyPatch } from './policy.ts';
import { executorTemplate } from './spark-files.ts';
import {
  allObjects,
  externalPipeline,
  fullPipeline,
  IMAGES,
  operandObjects,
  podTemplates,
} from './testing.ts';

const FIELD_MANAGER = 'test';

const storage = { size: '50Gi', className: 'fast' };
const resources = { requests: { cpu: 2, memory: '4Gi' }, limits: { cpu: '4', memory: '8Gi' } };
const strimzi = {
  version: '4.1.0',
  controllers: { replicas: 5, storage, resources },
  brokers: { replicas: 7, storage, resources },
  config: { 'log.segment.bytes': '1073741824' },
};
const topic = { name: 'Every_User.v1', partitions: 12, replicas: 5, retention: '7d', cleanup: ['compact'] };

const pipelines = {
  'with every default': fullPipeline(),
  'with every property of Strimzi set': fullPipeline({ deletionPolicy: 'Delete', kafka: { strimzi, topic } }),
  'with an external neighbour everywhere': externalPipeline(),
  'with a checkpoint elsewhere, suspended': fullPipeline({
    suspend: true,
    spark: { checkpoint: { uri: 's3a://bucket/checkpoint' } },
  }),
};

describe('a real API server with the CRDs of Strimzi', () => {
  let server: ApiServer;
  const apply = (object: KubeObject) => server.adminClient.apply(object, { fieldManager: FIELD_MANAGER });

  before(async () => {
    server = await startApiServer();
    for (const definition of await strimziDefinitions()) await apply(definition);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels } });
    const established = async () => {
      const found = await server.adminClient.raw('/apis/kafka.strimzi.io/v1');
      return ['kafkas', 'kafkanodepools', 'kafkatopics'].every((plural) => found.includes(`"${plural}"`));
    };
    await until("Strimzi's kinds are served", () => established().catch(() => false));
  });
  after(() => server?.stop());

  for (const [name, pipeline] of Object.entries(pipelines)) {
    test(`takes every object of a pipeline ${name}, as it is`, async () => {
      for (const object of allObjects(pipeline)) {
        const held = await apply(object);
        assertHolds(held, object, `${object.kind} ${object.metadata.name}`);
        await server.adminClient.delete(refOf(object));
      }
    });
  }

  test('takes every pod in a namespace that enforces the Pod Security standard "restricted"', async () => {
    const pipeline = externalPipeline({
      postgres: { managed: {} },
      cassandra: { managed: {} },
      schemaRegistry: { managed: {} },
    });
    const executor = { name: 'an executor', template: executorTemplate(pipeline, IMAGES.spark) };
    const templates = [...podTemplates(operandObjects(pipeline)), executor];
    assert.equal(templates.length, 10);
    for (const [index, { template }] of templates.entries()) {
      const { labels, annotations } = template.metadata ?? {};
      const metadata = {
        namespace: 'team',
        name: `pod-${index}`,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      };
      await apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: withClaims(template.spec) });
    }
  });

  test('takes what makes topics and pools stay, or go', async () => {
    const [stays, goes] = [fullPipeline(), fullPipeline({ deletionPolicy: 'Delete' })];
    const bound = ({ kind }: KubeObject) => kind === 'KafkaTopic' || kind === 'KafkaNodePool';
    for (const object of kafkaObjects(goes).filter(bound)) {
      let live = await apply(object);
      for (const pipeline of [stays, goes]) {
        const patch = policyPatch(pipeline, live);
        assert.ok(patch, object.kind);
        live = await server.adminClient.mergePatch(refOf(object), patch);
        assert.equal(policyPatch(pipeline, live), undefined);
      }
    }
  });
});

/** The pod as a StatefulSet makes it: with a volume for each claim. */
function withClaims(spec: V1PodSpec | undefined): unknown {
  const volumes = spec?.volumes ?? [];
  const mounted = spec?.containers.flatMap((each) => each.volumeMounts ?? []) ?? [];
  const claims = [...new Set(mounted.map(({ name }) => name))].filter(
    (name) => !volumes.some((each) => each.name === name),
  );
  const claimed = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  return { ...spec, volumes: [...volumes, ...claimed] };
}

/** Nothing that we ask for is stored in another spelling or dropped: it would be written again and again. */
function assertHolds(held: unknown, asked: unknown, path: string): void {
  if (Array.isArray(asked)) {
    assert.equal((held as unknown[])?.length, asked.length, path);
    for (const [index, each] of asked.entries())
      assertHolds((held as unknown[])[index], each, `${path}[${index}]`);
  } else if (typeof asked === 'object' && asked !== null) {
    for (const [key, value] of Object.entries(asked)) {
      const inner = (held as Record<string, unknown> | undefined)?.[key];
      if (inner === undefined && isEmptyObject(value)) continue;
      assertHolds(inner, value, `${path}.${key}`);
    }
  } else if (asked !== undefined) {
    assert.equal(held, asked, path);
  }
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

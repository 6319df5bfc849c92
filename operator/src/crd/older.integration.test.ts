import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { pipelineObject, serve } from '../../test/pipelines.ts';
import { until } from '../../test/until.ts';
import { parsePipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { customResourceDefinition } from './definition.ts';

type Spec = Record<string, unknown>;

/** What a rule refuses that came after the resource was made, and what may be changed all the same. */
const cases: { name: string; spec: Spec; says: RegExp }[] = [
  {
    name: 'a volume too small for the WAL that is kept',
    spec: { postgres: { managed: { storage: { size: '1Gi' } } } },
    says: /must leave 512Mi of storage\.size/,
  },
  {
    name: 'an interval of more than a year',
    spec: { audit: { interval: '500d' } },
    says: /spec\.audit\.interval.*must be at most 366d/s,
  },
  {
    name: 'a list of brokers that ends with a comma',
    spec: { kafka: { external: { bootstrapServers: 'one:9092,' } } },
    says: /bootstrapServers.*must be host:port/s,
  },
];

/** The CRD as it was before there were any rules. */
function withoutRules(): KubeObject {
  const text = JSON.stringify(customResourceDefinition(), (key, value) =>
    key === 'x-kubernetes-validations' ? undefined : value,
  );
  return JSON.parse(text) as KubeObject;
}

describe('a resource from before the schema refused', () => {
  let server: ApiServer;
  const apply = (name: string, spec: Spec) =>
    server.adminClient.apply(pipelineObject(name, spec), { fieldManager: 'test' });

  before(async () => {
    server = await startApiServer();
    await serve(server);
    await server.adminClient.apply(withoutRules(), { fieldManager: 'test' });
    for (const [index, { spec }] of cases.entries())
      await until('there are no rules', () => apply(`older-${index}`, spec).then(Boolean, () => false));
    await server.adminClient.apply(customResourceDefinition(), { fieldManager: 'test' });
    // Each time another one: what was taken once is taken again as it is.
    let probes = 0;
    const isRefused = () =>
      apply(`probe-${probes++}`, cases[0]?.spec ?? {}).then(
        () => false,
        () => true,
      );
    await until('there are rules', isRefused);
  });
  after(() => server?.stop());

  for (const [index, { name, spec, says }] of cases.entries()) {
    test(`${name} is read, and changed in everything else`, async () => {
      await assert.rejects(apply(`newer-${index}`, spec), says);
      const changed = await apply(`older-${index}`, { ...spec, suspend: true, relay: { replicas: 3 } });
      assert.ok(parsePipeline(changed).spec.suspend);
      const { spec: _, ...object } = pipelineObject(`older-${index}`);
      const status = { dataSince: '2026-01-01T00:00:00Z' };
      await server.adminClient.applyStatus({ ...object, status }, { fieldManager: 'test' });
    });
  }
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Report } from '../status/reports.ts';

const AGE = { name: 'age', type: 'bigint', path: 'dob.age' };
const TITLE = { name: 'title', type: 'text', path: 'name.title' };

/** What provision says where the schema can't be. */
function refused(message: string): Report {
  return { ready: false, stage: 'SchemaRegistry', reason: 'SchemaIncompatible', message, figures: {} };
}

describe('the columns that ingest fills, on a real API server', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  async function running(name: string, spec: Record<string, unknown>): Promise<Scene> {
    const scene = new Scene(server.adminClient, name);
    await scene.run(spec);
    return scene;
  }

  /** The fields that ingest is told of. */
  async function fieldsOf(name: string): Promise<unknown> {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: `${name}-ingest` };
    const config = await server.adminClient.get<KubeObject & { data: Record<string, string> }>(ref);
    return JSON.parse(config?.data['config.json'] ?? '{}').fields;
  }

  test('are more once provision has made them, and not before, even where its pods are started anew', async () => {
    const scene = await running('columns', { fields: [AGE] });
    assert.deepEqual(await fieldsOf('columns'), [AGE]);
    const before = await scene.workload('ingest');
    assert.ok(before);
    const generation = async () => (await scene.workload('ingest'))?.metadata.generation;

    await scene.apply({ fields: [AGE, TITLE] });
    const message = 'the registry refuses the schema: title; undo the change';
    await scene.reconcile({ readReports: async () => [refused(message)] });
    const { conditions = [] } = await scene.status();
    const told = conditions.find(({ type }) => type === 'SchemaRegistryReady');
    assert.deepEqual([told?.status, told?.reason, told?.message], ['False', 'SchemaIncompatible', message]);
    await scene.report(before, 0);
    await scene.reconcile();
    assert.deepEqual(await fieldsOf('columns'), [AGE]);
    assert.equal(await generation(), before.metadata.generation);

    await scene.settle();
    await scene.provisioned();
    await scene.reconcile();
    assert.deepEqual(await fieldsOf('columns'), [AGE, TITLE]);
    assert.notEqual(await generation(), before.metadata.generation);
  });

  test('are the old ones where ingest is corrected before provision has made the new ones', async () => {
    const scene = await running('mended', { fields: [AGE] });
    const before = await scene.workload('ingest');
    assert.ok(before);
    await scene.report(before, 0);
    const source = { url: 'https://elsewhere.example/', batchSize: 7 };
    await scene.apply({ fields: [TITLE], source });
    await scene.reconcile();
    assert.notEqual((await scene.workload('ingest'))?.metadata.generation, before.metadata.generation);
    assert.deepEqual(await fieldsOf('mended'), [AGE]);
  });
});

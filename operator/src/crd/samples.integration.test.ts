import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { serve } from '../../test/pipelines.ts';
import { KIND } from '../api/pipeline.ts';
import { parsePipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';

const SAMPLES = new URL('../../../k8s/samples/', import.meta.url);

function objects(file: string): KubeObject[] {
  return parseAllDocuments(readFileSync(new URL(file, SAMPLES), 'utf8')).map((document) => document.toJS());
}

const pipelines = readdirSync(SAMPLES).flatMap((file) =>
  objects(file)
    .filter(({ kind }) => kind === KIND)
    .map((pipeline) => ({ file, pipeline })),
);

describe('a sample', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  for (const { file, pipeline } of pipelines) {
    test(`${file} is taken as it is`, async () => {
      const name = `sample-${file.replace('.yaml', '')}`;
      const object = { ...pipeline, metadata: { ...pipeline.metadata, name } };
      await server.adminClient.apply(object, { fieldManager: 'test' });
    });
  }

  test('for CloudNativePG names what its cluster makes', () => {
    const [cluster, pipeline] = objects('cloudnative-pg.yaml');
    const name = cluster?.metadata.name;
    const made = { uid: 'none', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 };
    const parsed = { ...pipeline, metadata: { ...pipeline?.metadata, ...made } };
    const { external } = parsePipeline(parsed).spec.postgres;
    assert.equal(external?.host, `${name}-rw.${cluster?.metadata.namespace}.svc`);
    assert.equal(external?.secretRef.name, `${name}-app`);
    assert.deepEqual(external?.tls.caSecretRef, { name: `${name}-ca`, key: 'ca.crt' });
  });
});

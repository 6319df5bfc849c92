import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { binaries } from '../../test/binaries.ts';
import { NAMESPACE, pipelineObject, serve } from '../../test/pipelines.ts';
import { until } from '../../test/until.ts';
import { openApiSchema } from './definition.ts';
import { propertiesOf, walk } from './walk.ts';

const run = promisify(execFile);

describe('kubectl', () => {
  let server: ApiServer;
  let kubectl: (...args: string[]) => Promise<string>;
  before(async () => {
    server = await startApiServer();
    await serve(server);
    const program = join(await binaries(), 'kubectl');
    const to = ['--kubeconfig', server.kubeconfig, '--namespace', NAMESPACE];
    kubectl = async (...args) => (await run(program, [...to, ...args])).stdout;
    const published = () => kubectl('explain', 'usp').then(Boolean, () => false);
    await until('the schema is published', published);
  });
  after(() => server?.stop());

  const create = (name: string) => server.adminClient.apply(pipelineObject(name), { fieldManager: 'test' });

  const nodes = walk({ path: '', schema: openApiSchema() });
  const fields = (path: string) => propertiesOf(nodes.find((node) => node.path === path)?.schema ?? {});

  for (const path of ['spec', 'spec.cassandra', 'spec.kafka.topic', 'status']) {
    test(`explains every field of usp.${path} by its sentence`, async () => {
      const text = (await kubectl('explain', `usp.${path}`)).replaceAll(/\s+/g, ' ');
      for (const [name, { description }] of fields(path)) {
        assert.ok(text.includes(` ${name} <`), `${path}.${name} in: ${text}`);
        assert.ok(text.includes(String(description)), `${path}.${name} in: ${text}`);
      }
    });
  }

  test('lists every field below usp.spec.cassandra', async () => {
    const text = await kubectl('explain', 'usp.spec.cassandra', '--recursive');
    const names = nodes
      .filter(({ path }) => path.startsWith('spec.cassandra.'))
      .map(({ path }) => path.split('.').at(-1) ?? '')
      .filter((name) => !/[[{]/.test(name));
    assert.deepEqual(
      names.filter((name) => !new RegExp(`^\\s+${name}\\t<`, 'm').test(text)),
      [],
    );
  });

  test('shows a new pipeline by its category, with what it waits for', async () => {
    await create('shown');
    const [head, line] = (await kubectl('get', 'userstream')).split('\n');
    assert.match(String(head), /^NAME +READY +REASON +USERS\/MIN +LAG +AGE/);
    assert.match(String(line), /^shown +Unknown +Unseen /);
  });

  test('waits for Ready from the first moment on', async () => {
    await create('awaited');
    const waiting = kubectl('wait', 'usp/awaited', '--for=condition=Ready', '--timeout=60s');
    const ready = { type: 'Ready', status: 'True', reason: 'Running', message: 'users flow' };
    const since = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' };
    const { spec, ...pipeline } = pipelineObject('awaited');
    await server.adminClient.applyStatus(
      { ...pipeline, status: { conditions: [{ ...ready, ...since }] } },
      { fieldManager: 'test' },
    );
    assert.match(await waiting, /condition met/);
  });
});

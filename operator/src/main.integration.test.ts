import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../test/apiserver.ts';
import { serve } from '../test/pipelines.ts';
import { freePorts, remove, removeAtExit, type Server, startServer } from '../test/processes.ts';
import { until } from '../test/until.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

const ENVIRONMENT = {
  IMAGE_WORKERS: 'workers:1',
  IMAGE_SPARK: 'spark:1',
  IMAGE_POSTGRES: 'postgres:15',
  IMAGE_CASSANDRA: 'cassandra:5.0',
  IMAGE_REGISTRY: 'registry:3',
  POD_NAMESPACE: 'default',
  // Long enough for a machine that is busy: nobody here waits for it to run out.
  LEASE_DURATION_SECONDS: '15',
};

type Process = { server: Server; get(path: string): Promise<{ code: number; body: string }>; log(): string };

describe('the operator as a process', () => {
  const directory = mkdtempSync(join(tmpdir(), 'userstream-main-'));
  removeAtExit(directory);
  const started: Process[] = [];
  let api: ApiServer;

  before(async () => {
    api = await startApiServer();
    await serve(api);
  });
  after(async () => {
    for (const { server } of started) await server.stop();
    await api?.stop();
    remove(directory);
  });

  async function start(
    name: string,
    kubeconfig: string,
    env: Record<string, string> = ENVIRONMENT,
  ): Promise<Process> {
    const [port = 0] = await freePorts(1);
    const own = {
      PATH: process.env['PATH'],
      KUBECONFIG: kubeconfig,
      POD_NAME: name,
      HTTP_PORT: String(port),
    };
    const running: Process = {
      server: startServer(directory, name, process.execPath, [MAIN], { ...own, ...env }),
      async get(path) {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`);
        return { code: answer.status, body: await answer.text() };
      },
      log: () => readFileSync(join(directory, `${name}.log`), 'utf8'),
    };
    started.push(running);
    return running;
  }

  const answers = async (operator: Process, path: string, code: number) =>
    (await operator.get(path).catch(() => undefined))?.code === code;

  test('is ready once the API server has answered, and one of two leads', async () => {
    const both = [await start('one', api.kubeconfig), await start('two', api.kubeconfig)];
    for (const each of both) await until('it is ready', () => answers(each, '/readyz', 200), { ms: 20_000 });
    const leads = async (each: Process) =>
      /leader_election_master_status\{.*\} 1/.test((await each.get('/metrics')).body);
    await until(
      'one leads',
      async () => (await leads(both[0] as Process)) || (await leads(both[1] as Process)),
    );
    const [first = false, second = false] = await Promise.all(both.map(leads));
    assert.notEqual(first, second);
    const { body } = await (both[0] as Process).get('/metrics');
    for (const name of ['workqueue_depth', 'controller_runtime_active_workers', 'process_cpu_seconds_total'])
      assert.match(body, new RegExp(`^${name}`, 'm'));
    for (const each of both) assert.deepEqual(await each.get('/healthz'), { code: 200, body: 'ok\n' });
  });

  test('is not ready, and alive, where nobody answers', async () => {
    const nowhere = join(directory, 'nowhere.yaml');
    const [port = 0] = await freePorts(1);
    writeFileSync(
      nowhere,
      readFileSync(api.kubeconfig, 'utf8').replaceAll(api.url, `https://127.0.0.1:${port}`),
    );
    const lonely = await start('lonely', nowhere);
    await until('it answers', () => answers(lonely, '/healthz', 200), { ms: 20_000 });
    assert.deepEqual(await lonely.get('/readyz'), {
      code: 503,
      body: 'the API server has not answered yet\n',
    });
  });

  test('ends at once, and says why, where its settings are wrong', async () => {
    const wrong = await start('wrong', api.kubeconfig, { ...ENVIRONMENT, LEASE_DURATION_SECONDS: '0' });
    await until('it ends', () => wrong.server.child.exitCode === 1, { ms: 20_000 });
    assert.match(wrong.log(), /LEASE_DURATION_SECONDS: .*the chart sets these/);
  });
});

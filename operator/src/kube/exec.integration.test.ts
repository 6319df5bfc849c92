import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { loadKubeConfig } from './client.ts';
import { isForbidden, isNotFound, NoAnswerError, NotLeaderError } from './errors.ts';
import { createExec } from './exec.ts';

const TARGET = { namespace: 'default', pod: 'nobody', container: 'main' };

/** The configuration with the rights of no one. */
function powerless(kubeconfig: string): KubeConfig {
  const config = loadKubeConfig(kubeconfig);
  const cluster = config.getCurrentCluster();
  assert.ok(cluster);
  const anonymous = new KubeConfig();
  anonymous.loadFromClusterAndUser(cluster, { name: 'nobody', impersonateUser: 'nobody' });
  return anonymous;
}

describe('a command in a container, refused by a real API server', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
  });
  after(() => server?.stop());

  test('is Forbidden without the right', async () => {
    const exec = createExec(powerless(server.kubeconfig));
    await assert.rejects(exec(TARGET, ['true']), (error: Error) => {
      assert.match(error.message, /exec in default\/nobody: true/);
      return isForbidden(error);
    });
  });

  test('is NotFound where there is no such pod', async () => {
    const exec = createExec(loadKubeConfig(server.kubeconfig));
    await assert.rejects(exec(TARGET, ['true']), isNotFound);
  });

  test('is not begun by who no longer leads', async () => {
    const exec = createExec(loadKubeConfig(server.kubeconfig), { mayWrite: () => false });
    await assert.rejects(exec(TARGET, ['true']), NotLeaderError);
  });

  test('is not begun by who led until the connection stood', async () => {
    let leads = true;
    const exec = createExec(loadKubeConfig(server.kubeconfig), { mayWrite: () => leads });
    const answer = exec(TARGET, ['true']);
    leads = false;
    await assert.rejects(answer, NotLeaderError);
  });
});

test('a command has no answer where nobody speaks in time', async () => {
  const mute = createServer((socket) => socket.unref()).listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  const address = mute.address();
  assert.ok(address && typeof address !== 'string');
  const config = new KubeConfig();
  const server = `https://127.0.0.1:${address.port}`;
  config.loadFromClusterAndUser({ name: 'mute', server, skipTLSVerify: false }, { name: 'nobody' });
  await assert.rejects(createExec(config, { timeoutMs: 100 })(TARGET, ['true']), NoAnswerError);
  mute.close();
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import { isRefused } from '../kube/errors.ts';
import { STATEFUL_SET } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';

const GROUP = { apiVersion: 'admissionregistration.k8s.io/v1' };
const RULES = [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
];

/** A key and a certificate of its own for 127.0.0.1. */
function selfSigned(): { key: Buffer; cert: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), 'userstream-webhook-'));
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=webhook -days 2';
  const san = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...args.split(' '), ...san, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const made = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(directory, { recursive: true });
  return made;
}

/** A user's webhook that denies the ConfigMap `name` in the fewest words: no code, no reason. */
async function startWebhook(name: string): Promise<{ server: Server; configuration: KubeObject }> {
  const certificate = selfSigned();
  const server = createServer(certificate, async (request, response) => {
    const { request: asked } = (await json(request)) as { request: { uid: string; name: string } };
    const status = { message: 'not on a Friday' };
    const answer = { uid: asked.uid, allowed: asked.name !== name, status };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const webhook = {
    name: 'fridays.userstream.dev',
    clientConfig: { url, caBundle: certificate.cert.toString('base64') },
    rules: RULES,
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const metadata = { name: 'fridays' };
  return {
    server,
    configuration: { ...GROUP, kind: 'ValidatingWebhookConfiguration', metadata, webhooks: [webhook] },
  };
}

function policy(name: string): KubeObject[] {
  const metadata = { name: 'fridays' };
  const validations = [{ expression: `object.metadata.name != '${name}'`, message: 'not on a Friday' }];
  const spec = { matchConstraints: { resourceRules: RULES }, validations };
  const binding = { policyName: 'fridays', validationActions: ['Deny'] };
  return [
    { ...GROUP, kind: 'ValidatingAdmissionPolicy', metadata, spec },
    { ...GROUP, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: binding },
  ];
}

describe('what admission denies, on a real API server', () => {
  let server: ApiServer;
  /** It answers to the end: an API server asks a webhook for a while after its configuration was deleted. */
  let webhook: Server | undefined;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(async () => {
    webhook?.close();
    webhook?.closeAllConnections();
    await server?.stop();
  });

  /** Asserts that the stage which is denied its ConfigMap says so, and that the others are made. */
  async function assertRefused(name: string, denying: KubeObject[]): Promise<void> {
    const { adminClient } = server;
    const metadata = { namespace: NAMESPACE, name: `${name}-postgres` };
    const denied: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    for (const object of denying) await adminClient.apply(object, { fieldManager: 'test' });
    await until('it denies', async () => {
      const error = await adminClient.create(denied).catch((reason) => reason);
      if (error instanceof Error) return isRefused(error);
      await adminClient.delete(refOf(denied));
      return false;
    });
    const scene = new Scene(adminClient, name);
    await scene.apply();
    await scene.reconcile();
    const { conditions = [] } = await scene.status();
    const stalled = conditions.find(({ type }) => type === 'Stalled');
    assert.deepEqual([stalled?.status, stalled?.reason], ['True', 'PostgresRefused']);
    assert.match(stalled?.message ?? '', /what postgres asks for: .* denied (the )?request: not on a Friday/);
    assert.ok(await adminClient.get({ ...STATEFUL_SET, namespace: NAMESPACE, name: `${name}-cassandra` }));
    for (const object of denying) await adminClient.delete(refOf(object));
  }

  test('is refused by a webhook, and the rest is made', async () => {
    const { server: hook, configuration } = await startWebhook('hooked-postgres');
    webhook = hook;
    await assertRefused('hooked', [configuration]);
  });

  test('is refused by a policy, and the rest is made', () =>
    assertRefused('ruled', policy('ruled-postgres')));
});

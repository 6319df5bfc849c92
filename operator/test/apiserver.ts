import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient, loadKubeConfig } from '../src/kube/client.ts';
import { binaries } from './binaries.ts';
import type { Server } from './processes.ts';
import { freePorts, remove, removeAtExit, startServer, untilUp } from './processes.ts';

export type ApiServer = {
  /** The path of a kubeconfig with all rights. */
  kubeconfig: string;
  url: string;
  etcdUrl: string;
  adminClient: KubeClient;
  stop(): Promise<void>;
};

export type ApiServerOptions = {
  /** Also run kube-controller-manager: garbage collection, StatefulSets, Jobs. With more flags, where they are given. */
  controllerManager?: boolean | string[];
  /** More flags for kube-apiserver. */
  flags?: string[];
};

const START_MS = 60_000;

/** A real kube-apiserver on its own etcd, on free loopback ports, in a directory of its own: all gone after `stop`. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const directory = mkdtempSync(join(tmpdir(), 'userstream-apiserver-'));
  removeAtExit(directory);
  const servers: Server[] = [];
  const stop = async () => {
    for (const server of servers.reverse()) await server.stop();
    remove(directory);
  };
  try {
    return await start(directory, servers, stop, options);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  directory: string,
  servers: Server[],
  stop: () => Promise<void>,
  { controllerManager, flags = [] }: ApiServerOptions,
): Promise<ApiServer> {
  const [etcdPort = 0, peerPort = 0, port = 0] = await freePorts(3);
  const [etcdUrl, url] = [`http://127.0.0.1:${etcdPort}`, `https://127.0.0.1:${port}`];
  const programs = await binaries();
  servers.push(await startEtcd(directory, programs, etcdUrl, `http://127.0.0.1:${peerPort}`));
  const token = writeCredentials(directory);
  const serviceAccounts = controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount'];
  const args = [...apiServerFlags(directory, etcdUrl, port), ...serviceAccounts, ...flags];
  const server = startServer(directory, 'kube-apiserver', join(programs, 'kube-apiserver'), args);
  servers.push(server);
  const kubeconfig = join(directory, 'kubeconfig');
  const adminClient = await firstClient(directory, server, kubeconfig, url, token);
  if (controllerManager) {
    const more = controllerManager === true ? [] : controllerManager;
    servers.push(startControllerManager(directory, programs, kubeconfig, more));
  }
  const stopAll = async () => {
    adminClient.close();
    await stop();
  };
  return { kubeconfig, url, etcdUrl, adminClient, stop: stopAll };
}

async function firstClient(
  directory: string,
  server: Server,
  kubeconfig: string,
  url: string,
  token: string,
): Promise<KubeClient> {
  let client: KubeClient | undefined;
  const reach = async () => {
    // The server makes its certificate while it starts: what was read too early is read again.
    client?.close();
    writeKubeconfig(directory, kubeconfig, url, token);
    client = new KubeClient(loadKubeConfig(kubeconfig));
    await client.raw('/readyz');
  };
  await untilUp(server, join(directory, 'kube-apiserver.log'), reach, START_MS);
  if (!client) throw new Error('a server that is up has been reached');
  return client;
}

async function startEtcd(directory: string, programs: string, url: string, peerUrl: string): Promise<Server> {
  const server = startServer(directory, 'etcd', join(programs, 'etcd'), [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
  const check = async () => {
    const answer = await fetch(`${url}/health`);
    if (!answer.ok) throw new Error(await answer.text());
  };
  await untilUp(server, join(directory, 'etcd.log'), check, START_MS);
  return server;
}

function apiServerFlags(directory: string, etcdUrl: string, port: number): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    `--cert-dir=${join(directory, 'certificates')}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(directory, 'service-account.pub')}`,
    `--service-account-signing-key-file=${join(directory, 'service-account.key')}`,
    // The endpoint of the `kubernetes` Service is of no use to anyone here, and its removal delays the end.
    '--endpoint-reconciler-type=none',
  ];
}

function startControllerManager(
  directory: string,
  programs: string,
  kubeconfig: string,
  more: string[],
): Server {
  return startServer(directory, 'kube-controller-manager', join(programs, 'kube-controller-manager'), [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${join(directory, 'service-account.key')}`,
    '--leader-elect=false',
    '--secure-port=0',
    ...more,
  ]);
}

function writeCredentials(directory: string): string {
  const token = randomBytes(16).toString('hex');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text, { mode: 0o600 });
  write('service-account.key', privateKey);
  write('service-account.pub', publicKey);
  write('tokens.csv', `${token},admin,admin,"system:masters"\n`);
  return token;
}

function writeKubeconfig(directory: string, file: string, server: string, token: string): void {
  const authority = readFileSync(join(directory, 'certificates', 'apiserver.crt')).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NETWORK } from './network.ts';
import { run } from './run.ts';

export const API_URL = `https://${NETWORK.node}:6443`;

type Certificate = { file: string; subject: string; names?: string[] };

/** Who takes part in a cluster. The API server reads a client's user from CN and its groups from O. */
export function certificates(nodeName: string): Certificate[] {
  return [
    { file: 'apiserver', subject: '/CN=kube-apiserver', names: apiServerNames() },
    { file: 'apiserver-kubelet-client', subject: '/O=system:masters/CN=kube-apiserver-kubelet-client' },
    { file: 'admin', subject: '/O=system:masters/CN=admin' },
    { file: 'controller-manager', subject: '/CN=system:kube-controller-manager' },
    { file: 'scheduler', subject: '/CN=system:kube-scheduler' },
    { file: 'kube-proxy', subject: '/CN=system:kube-proxy' },
    {
      file: 'kubelet',
      subject: `/O=system:nodes/CN=system:node:${nodeName}`,
      names: [`DNS:${nodeName}`, `IP:${NETWORK.node}`],
    },
    { file: 'coredns', subject: '/CN=userstream:coredns' },
    { file: 'storage', subject: '/CN=userstream:storage' },
  ];
}

/** Makes the cluster's CA, certificates and kubeconfigs in `directory`, once: what is there stays. */
export async function makePki(directory: string, nodeName: string): Promise<void> {
  if (existsSync(directory)) return;
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await openssl(unfinished, 'ca', ['-subj', '/CN=userstream-ca']);
  await run('openssl', ['genrsa', '-out', join(unfinished, 'service-accounts.key'), '2048']);
  const ca = await readFile(join(unfinished, 'ca.crt'), 'base64');
  for (const certificate of certificates(nodeName)) {
    await issue(unfinished, certificate);
    await writeKubeconfig(unfinished, certificate.file, ca);
  }
  await rename(unfinished, directory);
}

function apiServerNames(): string[] {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const dns = [...service, `kubernetes.default.svc.${NETWORK.domain}`, 'localhost'].map(
    (name) => `DNS:${name}`,
  );
  return [...dns, `IP:${NETWORK.node}`, `IP:${NETWORK.api}`, 'IP:127.0.0.1'];
}

function issue(directory: string, { file, subject, names }: Certificate): Promise<string> {
  const signer = ['-CA', join(directory, 'ca.crt'), '-CAkey', join(directory, 'ca.key')];
  const usage = [
    '-addext',
    'basicConstraints=critical,CA:FALSE',
    '-addext',
    'extendedKeyUsage=serverAuth,clientAuth',
  ];
  const san = names ? ['-addext', `subjectAltName=${names.join(',')}`] : [];
  return openssl(directory, file, ['-subj', subject, ...signer, ...usage, ...san]);
}

function openssl(directory: string, file: string, args: string[]): Promise<string> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const out = ['-keyout', join(directory, `${file}.key`), '-out', join(directory, `${file}.crt`)];
  return run('openssl', ['req', '-x509', ...key, '-days', '3650', ...args, ...out]);
}

async function writeKubeconfig(directory: string, file: string, ca: string): Promise<void> {
  const credentials = {
    'client-certificate-data': await readFile(join(directory, `${file}.crt`), 'base64'),
    'client-key-data': await readFile(join(directory, `${file}.key`), 'base64'),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'userstream', cluster: { server: API_URL, 'certificate-authority-data': ca } }],
    users: [{ name: file, user: credentials }],
    contexts: [{ name: 'userstream', context: { cluster: 'userstream', user: file } }],
    'current-context': 'userstream',
  };
  await writeFile(join(directory, `${file}.kubeconfig`), JSON.stringify(config, null, 2), { mode: 0o600 });
}

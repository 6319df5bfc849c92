import { join } from 'node:path';
import { NETWORK } from './network.ts';

/** A program that the node keeps running. Its output goes to `logs/<name>.log`. */
export type Process = { name: string; command: string; args: string[] };

/** Where a cluster's parts are: its state directory, the compiled binaries, the unpacked Debian packages. */
export type Layout = { name: string; state: string; binaries: string; debian: string; pauseImage: string };

/** Everything that runs on the node, each a plain process: the control plane, the node's agents, DNS and storage. */
export function processes(layout: Layout): Process[] {
  return [...controlPlane(layout), ...nodeAgents(layout), ...addons(layout)];
}

function controlPlane({ state, binaries }: Layout): Process[] {
  const pki = (file: string) => join(state, 'pki', file);
  return [
    program(join(binaries, 'etcd'), {
      'data-dir': join(state, 'etcd'),
      'listen-client-urls': 'http://127.0.0.1:2379',
      'advertise-client-urls': 'http://127.0.0.1:2379',
      'listen-peer-urls': 'http://127.0.0.1:2380',
      'unsafe-no-fsync': 'true', // a cluster to try things on: a power cut may cost it its state, fsync costs time always
    }),
    program(join(binaries, 'kube-apiserver'), {
      'etcd-servers': 'http://127.0.0.1:2379',
      'advertise-address': NETWORK.node,
      'service-cluster-ip-range': NETWORK.services,
      'tls-cert-file': pki('apiserver.crt'),
      'tls-private-key-file': pki('apiserver.key'),
      'client-ca-file': pki('ca.crt'),
      'kubelet-certificate-authority': pki('ca.crt'),
      'kubelet-client-certificate': pki('apiserver-kubelet-client.crt'),
      'kubelet-client-key': pki('apiserver-kubelet-client.key'),
      'kubelet-preferred-address-types': 'InternalIP', // the node's name is in no DNS
      'service-account-issuer': `https://kubernetes.default.svc.${NETWORK.domain}`,
      'service-account-key-file': pki('service-accounts.key'),
      'service-account-signing-key-file': pki('service-accounts.key'),
      'authorization-mode': 'Node,RBAC',
      'enable-admission-plugins': 'NodeRestriction',
      'allow-privileged': 'true',
    }),
    program(join(binaries, 'kube-controller-manager'), {
      kubeconfig: pki('controller-manager.kubeconfig'),
      'service-account-private-key-file': pki('service-accounts.key'),
      'root-ca-file': pki('ca.crt'),
      'use-service-account-credentials': 'true',
      'leader-elect': 'false',
      'flex-volume-plugin-dir': join(state, 'kubelet', 'volume-plugins'),
    }),
    program(join(binaries, 'kube-scheduler'), {
      kubeconfig: pki('scheduler.kubeconfig'),
      'leader-elect': 'false',
    }),
  ];
}

function nodeAgents({ name, state, binaries, debian }: Layout): Process[] {
  return [
    program(join(debian, 'usr', 'bin', 'containerd'), { config: join(state, 'containerd.toml') }),
    program(join(binaries, 'kubelet'), {
      config: join(state, 'kubelet.json'),
      kubeconfig: join(state, 'pki', 'kubelet.kubeconfig'),
      'root-dir': join(state, 'kubelet'),
      'hostname-override': name,
      'node-ip': NETWORK.node,
    }),
    program(join(binaries, 'kube-proxy'), {
      config: join(state, 'kube-proxy.json'),
      'hostname-override': name,
    }),
  ];
}

function addons({ state, binaries }: Layout): Process[] {
  return [
    { name: 'coredns', command: join(binaries, 'coredns'), args: ['-conf', join(state, 'Corefile')] },
    program(join(binaries, 'storage'), {
      kubeconfig: join(state, 'pki', 'storage.kubeconfig'),
      provisioner: 'userstream.dev/directory',
      root: join(state, 'volumes'),
    }),
  ];
}

function program(command: string, flags: Record<string, string>): Process {
  const name = command.slice(command.lastIndexOf('/') + 1);
  return { name, command, args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`) };
}

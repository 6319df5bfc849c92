import { join } from 'node:path';
import { NETWORK } from './network.ts';
import type { Layout } from './processes.ts';

/** The configuration files that the processes read, by their names in the state directory. */
export function configFiles(layout: Layout): Record<string, string> {
  return {
    'containerd.toml': containerd(layout),
    'cni/userstream.conflist': JSON.stringify(podNetwork(layout.state), null, 2),
    'kubelet.json': JSON.stringify(kubelet(layout), null, 2),
    'kube-proxy.json': JSON.stringify(kubeProxy(layout.state), null, 2),
    Corefile: corefile(layout.state),
  };
}

/** The socket that containerd listens on, for kubelet and for `ctr`. */
export const containerdSocket = (state: string) => join(state, 'containerd.sock');

function containerd({ state, debian, pauseImage }: Layout): string {
  return `version = 2
root = "${join(state, 'containerd')}"
state = "/run/containerd"
[grpc]
  address = "${containerdSocket(state)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  disable_apparmor = true        # its profile would be loaded into the host's kernel
  restrict_oom_score_adj = true  # where root may not lower it, as in a container
  tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${join(debian, 'usr', 'lib', 'cni')}"
  conf_dir = "${join(state, 'cni')}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "${join(debian, 'usr', 'sbin', 'runc')}"
  SystemdCgroup = false
`;
}

/** Pods hang on a bridge; a packet to anywhere else than the cluster is answered with "network unreachable". */
function podNetwork(state: string): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(state, 'addresses'),
    ranges: [[{ subnet: NETWORK.pods }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return { cniVersion: '1.0.0', name: 'userstream', plugins: [bridge, portmap] };
}

function kubelet({ name, state }: Layout): object {
  const pki = (file: string) => join(state, 'pki', file);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: pki('ca.crt') } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki('kubelet.crt'),
    tlsPrivateKeyFile: pki('kubelet.key'),
    containerRuntimeEndpoint: `unix://${containerdSocket(state)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/userstream-${name}`,
    failCgroupV1: false,
    failSwapOn: false,
    protectKernelDefaults: true, // the host's kernel settings are not ours to change: see maskedSettings in init.ts
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    podLogsDir: join(state, 'logs', 'pods'),
    volumePluginDir: join(state, 'kubelet', 'volume-plugins'),
    clusterDNS: [NETWORK.dns],
    clusterDomain: NETWORK.domain,
    resolvConf: '/dev/null', // the host's name servers are out of reach
    imageGCHighThresholdPercent: 100, // never: there is no registry to get an image from again
    evictionHard: { 'memory.available': '100Mi' },
  };
}

function kubeProxy(state: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clusterCIDR: NETWORK.pods,
    clientConnection: { kubeconfig: join(state, 'pki', 'kube-proxy.kubeconfig') },
    conntrack: { maxPerCore: 0 }, // one table for the whole machine: the host's
  };
}

function corefile(state: string): string {
  return `.:53 {
  errors
  health 127.0.0.1:8080
  ready 127.0.0.1:8181
  kubernetes ${NETWORK.domain} in-addr.arpa {
    kubeconfig ${join(state, 'pki', 'coredns.kubeconfig')}
    ttl 5
  }
  cache 5
}
`;
}

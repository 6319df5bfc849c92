import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GROUP, KIND, VERSION } from '../../src/api/pipeline.ts';
import { customResourceDefinition } from '../../src/crd/definition.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { type ApiServer, startApiServer } from '../apiserver.ts';
import { binaries } from '../binaries.ts';
import { kwokBinary } from '../kwok.ts';
import { remove, removeAtExit, type Server, startServer } from '../processes.ts';
import { strimziDefinitions } from '../strimzi.ts';
import { until } from '../until.ts';
import { AUDIT_POLICY, AuditLog } from './audit.ts';
import { discover, objectsOf, type Served } from './discovery.ts';
import { STAGES } from './stages.ts';
import { startTopics } from './topics.ts';
import { PROVISIONER, startVolumes } from './volumes.ts';

/** Kubernetes without machines: a real API server, etcd, controllers, scheduler and volumes, and kwok's pods. */
export type World = {
  api: ApiServer;
  client: KubeClient;
  audit: AuditLog;
  /** The kinds that a namespace may hold. */
  served: Served[];
  /** For what the runs write; it goes with the world. */
  directory: string;
  stop(): Promise<void>;
};

/** The namespace of the operators' Leases, which no run takes away. */
export const LEASES = 'operators';

const PIPELINES = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND };

const NODE: KubeObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node', labels: { 'kubernetes.io/hostname': 'node' } },
};

/** Pods get addresses of the loopback network: whoever asks one hears at once that nobody listens. */
const POD_NETWORK = '127.64.0.1/16';

/** Endpoints on the loopback network are refused again and again, and nobody here reads them. */
const CONTROLLERS = '--controllers=*,-endpoints-controller,-endpointslice-controller';

/** Many pipelines are made at once: nobody is to wait for another's requests. */
const RATES = ['--kube-api-qps=500', '--kube-api-burst=1000'];

function storageClass(name: string, allowVolumeExpansion: boolean, annotations = {}): KubeObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion,
  };
}

const FURNITURE: KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: LEASES } },
  NODE,
  storageClass('standard', true, { 'storageclass.kubernetes.io/is-default-class': 'true' }),
  storageClass('fixed', false),
];

/** Starts a world of one node; everything it started is gone after `stop`. */
export async function startWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'userstream-faults-'));
  removeAtExit(directory);
  const [policy, log] = [join(directory, 'audit.yaml'), join(directory, 'audit.log')];
  writeFileSync(policy, JSON.stringify(AUDIT_POLICY));
  const api = await startApiServer({
    controllerManager: [CONTROLLERS, ...RATES],
    // Read in one piece: it must not be rotated, as it is past 100 MiB else.
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-maxsize=100000'],
  });
  const helpers: Pick<Server, 'stop'>[] = [];
  const stop = async () => {
    for (const helper of helpers) await helper.stop();
    await api.stop();
    remove(directory);
  };
  try {
    await furnish(api.adminClient);
    helpers.push(
      startVolumes(api.adminClient),
      startTopics(api.adminClient),
      ...(await startHelpers(directory, api.kubeconfig)),
    );
    await untilNodeReady(api.adminClient);
    const served = await discover(api.adminClient);
    return { api, client: api.adminClient, audit: new AuditLog(log), served, directory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function furnish(client: KubeClient): Promise<void> {
  const objects = [...(await strimziDefinitions()), ...FURNITURE];
  for (const object of objects) await client.apply(object, { fieldManager: 'faults' });
  await serve(client);
}

/** Makes the API server take pipelines. */
export async function serve(client: KubeClient): Promise<void> {
  await client.apply(customResourceDefinition(), { fieldManager: 'faults' });
  const served = async () => {
    await client.list(PIPELINES);
    await objectsOf(client, await discover(client), 'default');
    // kwok gives up where the description of a kind that it plays isn't there yet.
    return (await client.raw('/openapi/v3')).includes('kafka.strimzi.io/v1');
  };
  await until('pipelines and Kafkas are served', () => served().catch(() => false), { ms: 60_000 });
}

async function startHelpers(directory: string, kubeconfig: string): Promise<Server[]> {
  const [programs, kwok] = await Promise.all([binaries(), kwokBinary()]);
  const config = join(directory, 'kwok.yaml');
  writeFileSync(config, STAGES.map((stage) => JSON.stringify(stage)).join('\n---\n'));
  const reach = `--kubeconfig=${kubeconfig}`;
  return [
    startServer(directory, 'kube-scheduler', join(programs, 'kube-scheduler'), [
      reach,
      '--leader-elect=false',
      '--secure-port=0',
      ...RATES,
    ]),
    startServer(directory, 'kwok', kwok, [
      reach,
      `--config=${config}`,
      '--manage-all-nodes=true',
      '--node-lease-duration-seconds=40',
      `--cidr=${POD_NETWORK}`,
    ]),
  ];
}

async function untilNodeReady(client: KubeClient): Promise<void> {
  type Node = KubeObject & { status?: { conditions?: { type: string; status: string }[] } };
  const ready = async () => {
    const node = await client.get<Node>({ apiVersion: 'v1', kind: 'Node', name: NODE.metadata.name });
    return (
      node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
    );
  };
  await until('the node is ready', ready, { ms: 60_000 });
}

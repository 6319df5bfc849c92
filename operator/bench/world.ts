import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { customResourceDefinition } from '../src/crd/definition.ts';
import { loadKubeConfig } from '../src/kube/client.ts';
import { systemClock } from '../src/kube/clock.ts';
import { ListWatch } from '../src/kube/list-watch.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { Requests } from '../src/kube/requests.ts';
import { createTransport } from '../src/kube/transport.ts';
import { PIPELINES } from '../src/reconcile/followed.ts';
import { type ApiServer, startApiServer } from '../test/apiserver.ts';
import { binaries } from '../test/binaries.ts';
import { STAGES } from '../test/faults/stages.ts';
import { kwokBinary } from '../test/kwok.ts';
import { remove, removeAtExit, type Server, startServer } from '../test/processes.ts';
import { until } from '../test/until.ts';

/** The namespace of the operators' Leases. */
export const OPERATORS = 'operators';

const NODE: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' } };
const POD = { apiVersion: 'v1', kind: 'Pod' };

/** The API server would make clients wait for their turn, and its own range of addresses is a small one. */
const FLAGS = [
  '--enable-priority-and-fairness=false',
  '--max-requests-inflight=3000',
  '--service-cluster-ip-range=10.0.0.0/16',
];

/** Without limits of their own, or their patience would be what is measured. */
const UNHURRIED = ['--kube-api-qps=5000', '--kube-api-burst=10000'];
const CONTROLLERS =
  '--controllers=deployment-controller,replicaset-controller,statefulset-controller,job-controller';
const POD_NETWORK = '127.64.0.1/16';

/** An API server and etcd; controllers and the pods of kwok only while they are asked for. */
export type World = {
  api: ApiServer;
  directory: string;
  makeNamespace(name: string): Promise<void>;
  /** Runs controllers and pods; they end with the call of the answer. */
  startMachines(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
};

export async function startWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'userstream-bench-'));
  removeAtExit(directory);
  const api = await startApiServer({ flags: FLAGS });
  const { adminClient: client } = api;
  const apply = (object: KubeObject) => client.apply(object, { fieldManager: 'bench' });
  const makeNamespace = async (name: string) => {
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  };
  await apply(customResourceDefinition());
  await makeNamespace(OPERATORS);
  await until('pipelines are served', () =>
    client.list(PIPELINES).then(
      () => true,
      () => false,
    ),
  );
  return {
    api,
    directory,
    makeNamespace,
    startMachines: () => startMachines(api, directory),
    async stop() {
      await api.stop();
      remove(directory);
    },
  };
}

async function startMachines(api: ApiServer, directory: string): Promise<() => Promise<void>> {
  await api.adminClient.apply(NODE, { fieldManager: 'bench' });
  const [programs, kwok] = await Promise.all([binaries(), kwokBinary()]);
  const config = join(directory, 'kwok.yaml');
  writeFileSync(
    config,
    STAGES.filter(isOfPods)
      .map((stage) => JSON.stringify(stage))
      .join('\n---\n'),
  );
  const reach = `--kubeconfig=${api.kubeconfig}`;
  const key = join(dirname(api.kubeconfig), 'service-account.key');
  const start = (name: string, binary: string, args: string[]): Server =>
    startServer(directory, name, binary, [reach, ...args]);
  const servers = [
    start('kube-controller-manager', join(programs, 'kube-controller-manager'), [
      `--service-account-private-key-file=${key}`,
      '--leader-elect=false',
      '--secure-port=0',
      CONTROLLERS,
      ...UNHURRIED,
    ]),
    start('kwok', kwok, [`--config=${config}`, '--manage-all-nodes=true', `--cidr=${POD_NETWORK}`]),
  ];
  const binding = new AbortController();
  const bound = bindPods(api, binding.signal);
  return async () => {
    binding.abort();
    await bound;
    for (const server of servers) await server.stop();
  };
}

const isOfPods = (stage: object) => JSON.stringify(stage).includes('"kind":"Pod"');

/** Sends every pod to the only node, whatever it waits for: where pods run is not what is measured. */
async function bindPods(api: ApiServer, signal: AbortSignal): Promise<void> {
  const requests = new Requests(createTransport(loadKubeConfig(api.kubeconfig)), {});
  const bind = async ({ metadata: { namespace = '', name } }: KubeObject) => {
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE.metadata.name };
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Binding', metadata: { name }, target });
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`;
    await requests.json({ method: 'POST', path, body });
  };
  const unbound = new ListWatch<KubeObject>({
    client: api.adminClient,
    kind: POD,
    selection: { fieldSelector: 'spec.nodeName=' },
    transform: (object) => object,
    onChange: ({ type, object, before }) => {
      if (type === 'set' && !before) bind(object).catch((error) => console.error(String(error)));
    },
    onError: (error) => console.error(String(error)),
    clock: systemClock,
  });
  await unbound.run(signal);
  requests.close();
}

import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { accessHashes, type System } from './access.ts';
import type { BuildContext } from './images.ts';
import { configMap, hash, metadata, objectName, retainedMetadata } from './meta.ts';
import { configVolume, container, exec, podSpec, podTemplate, probes, secretVolume, UID } from './pod.ts';
import { configuration, HBA, START, STOP } from './postgres-files.ts';
import { containerResources } from './quantities.ts';
import { base64 } from './secrets.ts';
import { service, statefulSet, volumeClaim } from './workload.ts';

const DATA = '/var/lib/postgresql/data';

/** Whose passwords a managed Postgres sets when it starts. */
export const POSTGRES_ROLES: System[] = ['POSTGRES', 'AUDIT_POSTGRES'];

type Managed = NonNullable<Pipeline['spec']['postgres']['managed']>;

/** The passwords of a managed Postgres: of the pipeline's own role, and of the superuser `postgres`. */
export function postgresSecret(
  pipeline: Pipeline,
  { password, superuserPassword }: { password: string; superuserPassword: string },
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: retainedMetadata(pipeline, 'postgres'),
    type: 'Opaque',
    data: base64({ username: 'userstream', password, 'postgres-password': superuserPassword }),
  };
}

function postgresContainer(image: string, { resources }: Managed): V1Container {
  const answers = (check: string) => exec('sh', '-c', check);
  const ping = 'pg_isready -q -h 127.0.0.1 -p 5432 -U userstream -d userstream';
  return container({
    name: 'postgres',
    image,
    command: ['sh', '/etc/postgres/start.sh'],
    env: [{ name: 'PGDATA', value: `${DATA}/pgdata` }],
    ports: [{ name: 'postgres', containerPort: 5432 }],
    resources: containerResources(resources),
    // Status 1 is a server that lives and recovers: no reason to kill it, but nobody may connect yet.
    ...probes(answers(`${ping} || [ $? -eq 1 ]`), answers(ping), 600),
    lifecycle: { preStop: { exec: { command: ['sh', '-c', STOP] } } },
    volumeMounts: [
      { name: 'data', mountPath: DATA },
      { name: 'run', mountPath: '/var/run/postgresql' },
      { name: 'shm', mountPath: '/dev/shm' },
      { name: 'config', mountPath: '/etc/postgres', readOnly: true },
      { name: 'secret', mountPath: '/etc/postgres-secret', readOnly: true },
      { name: 'audit', mountPath: '/etc/postgres-audit', readOnly: true },
    ],
  });
}

function pod(pipeline: Pipeline, image: string, managed: Managed): V1PodSpec {
  const name = objectName(pipeline, 'postgres');
  return podSpec(UID.postgres, {
    terminationGracePeriodSeconds: 60,
    containers: [postgresContainer(image, managed)],
    volumes: [
      { name: 'run', emptyDir: {} },
      // The runtime's own /dev/shm is 64 MB, too little for parallel queries.
      { name: 'shm', emptyDir: { medium: 'Memory' } },
      configVolume('config', name),
      secretVolume('secret', name, { password: 'password', 'postgres-password': 'postgres-password' }),
      secretVolume('audit', objectName(pipeline, 'audit'), { password: 'password' }),
    ],
  });
}

/** ConfigMap, Service and StatefulSet of a managed Postgres; nothing where it is an existing one. */
export function postgresObjects(pipeline: Pipeline, { images, secretHashes }: BuildContext): KubeObject[] {
  const { managed } = pipeline.spec.postgres;
  if (!managed) return [];
  const data = { 'start.sh': START, 'postgresql.conf': configuration(managed), 'pg_hba.conf': HBA };
  // A volume grows around a running pod: the WAL that a larger one has room for comes with the next restart.
  const whateverItsVolume = configuration({ ...managed, storage: { size: '1Pi' } });
  const rolling = { ...data, 'postgresql.conf': whateverItsVolume };
  const configHash = hash([rolling, accessHashes(pipeline, POSTGRES_ROLES, secretHashes)]);
  const spec = pod(pipeline, managed.image ?? images.postgres, managed);
  return [
    configMap(metadata(pipeline, 'postgres'), data),
    service(pipeline, 'postgres', { postgres: 5432 }),
    statefulSet(pipeline, 'postgres', {
      replicas: 1,
      template: podTemplate(pipeline, 'postgres', configHash, spec),
      volumeClaimTemplates: [volumeClaim(pipeline, 'postgres', 'data', managed.storage)],
    }),
  ];
}

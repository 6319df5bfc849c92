import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import { GROUP } from '../api/pipeline.ts';
import type { Pipeline } from '../api/resource.ts';
import { quantityValue } from '../api/scalars.ts';
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

/** The image that Postgres runs, as an annotation of its ConfigMap, which outlives every StatefulSet. */
export const POSTGRES_IMAGE = `${GROUP}/postgres-image`;

/**
 * ConfigMap, Service and StatefulSet of a managed Postgres; nothing where it is an existing one.
 * @param volume the size of the volume that it has; what it is to have where that is larger, or left out
 */
export function postgresObjects(
  pipeline: Pipeline,
  { images, secretHashes }: BuildContext,
  volume?: string,
): KubeObject[] {
  const { managed } = pipeline.spec.postgres;
  if (!managed) return [];
  const { size } = managed.storage;
  const room = volume && quantityValue(volume) < quantityValue(size) ? volume : size;
  const data = { 'start.sh': START, 'postgresql.conf': configuration(managed, room), 'pg_hba.conf': HBA };
  // A volume grows around a running pod: the WAL that a larger one has room for comes with the next restart.
  const rolling = { ...data, 'postgresql.conf': configuration(managed, '1Pi') };
  const configHash = hash([rolling, accessHashes(pipeline, POSTGRES_ROLES, secretHashes)]);
  const image = managed.image ?? images.postgres;
  const spec = pod(pipeline, image, managed);
  return [
    configMap({ ...metadata(pipeline, 'postgres'), annotations: { [POSTGRES_IMAGE]: image } }, data),
    service(pipeline, 'postgres', { postgres: 5432 }),
    statefulSet(pipeline, 'postgres', {
      replicas: 1,
      template: podTemplate(pipeline, 'postgres', configHash, spec),
      volumeClaimTemplates: [volumeClaim(pipeline, 'postgres', 'data', managed.storage)],
    }),
  ];
}

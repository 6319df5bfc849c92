import type { V1PersistentVolumeClaim, V1StatefulSet } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { CONFIG_MAP, STATEFUL_SET, VOLUME_CLAIM } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { objectName } from '../specs/meta.ts';
import { POSTGRES_IMAGE, POSTGRES_ROLES, postgresObjects, postgresSecret } from '../specs/postgres.ts';
import { type Check, firstFault, READY } from '../status/check.ts';
import { versionCheck } from '../status/postgres-version.ts';
import { sizeOf } from '../status/volumes.ts';
import { accessTo } from './access.ts';
import { ensureWithVolumes } from './stateful-set.ts';
import type { Context } from './step.ts';
import { statefulSetCheck } from './workload.ts';

/** The passwords are made once and kept: they open the volume. */
async function ensureSecret({ pipeline, cluster, password }: Context): Promise<void> {
  const kept = await cluster.secret(objectName(pipeline, 'postgres'));
  const passwords = {
    password: kept?.['password'] ?? password(),
    superuserPassword: kept?.['postgres-password'] ?? password(),
  };
  await cluster.ensure(postgresSecret(pipeline, passwords));
}

/** The image that Postgres runs, or ran until its StatefulSet was gone. */
async function currentImage({ pipeline, cluster }: Context): Promise<string | undefined> {
  const name = objectName(pipeline, 'postgres');
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, name);
  if (live) return live.spec?.template.spec?.containers[0]?.image;
  const config = await cluster.get<KubeObject>(CONFIG_MAP, name);
  return config?.metadata.annotations?.[POSTGRES_IMAGE];
}

/** The size of the volume that Postgres has; undefined before there is one. */
async function volumeSize({ cluster }: Context): Promise<string | undefined> {
  const claims = await cluster.list<V1PersistentVolumeClaim>(VOLUME_CLAIM, 'postgres');
  const claim = claims.find(({ metadata }) => !metadata?.deletionTimestamp);
  return claim && sizeOf(claim);
}

type Runnable = { pipeline: Pipeline; version: Check };

/** The pipeline as its Postgres can run it, on the image that it has where that of another major version is asked for. */
async function runnable(context: Context): Promise<Runnable> {
  const { pipeline, cluster, images, provisioned } = context;
  const { managed } = pipeline.spec.postgres;
  const image = managed && provisioned ? await currentImage(context) : undefined;
  if (!managed || !image) return { pipeline, version: READY };
  const version = versionCheck(image, managed.image ?? images.postgres, await cluster.pods('postgres'));
  if (version.ready) return { pipeline, version };
  const spec = { ...pipeline.spec, postgres: { managed: { ...managed, image } } };
  return { pipeline: { ...pipeline, spec }, version };
}

/** A managed Postgres with its passwords, or the credentials of an existing one. */
export async function postgres(context: Context): Promise<Check> {
  const managed = !context.pipeline.spec.postgres.external;
  if (managed) await ensureSecret(context);
  const access = await accessTo(context, managed ? POSTGRES_ROLES : ['POSTGRES']);
  if ('missing' in access) return access.missing;
  const { pipeline, version } = await runnable(context);
  const objects = postgresObjects(pipeline, access.build, await volumeSize(context));
  const volumes = await ensureWithVolumes(context, 'postgres', objects);
  if (!managed) return READY;
  return firstFault([version, volumes, await statefulSetCheck(context, 'postgres')]);
}

import type { V1StatefulSet } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { STATEFUL_SET } from '../kube/kinds.ts';
import { objectName } from '../specs/meta.ts';
import { POSTGRES_ROLES, postgresObjects, postgresSecret } from '../specs/postgres.ts';
import { type Check, firstFault, READY } from '../status/check.ts';
import { versionCheck } from '../status/postgres-version.ts';
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

type Runnable = { pipeline: Pipeline; version: Check };

/** The pipeline as its Postgres can run it, on the image that it has where that of another major version is asked for. */
async function runnable({ pipeline, cluster, images, provisioned }: Context): Promise<Runnable> {
  const { managed } = pipeline.spec.postgres;
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, objectName(pipeline, 'postgres'));
  const image = live?.spec?.template.spec?.containers[0]?.image;
  if (!managed || !image || !provisioned) return { pipeline, version: READY };
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
  const volumes = await ensureWithVolumes(context, 'postgres', postgresObjects(pipeline, access.build));
  if (!managed) return READY;
  return firstFault([version, volumes, await statefulSetCheck(context, 'postgres')]);
}

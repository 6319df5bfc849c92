import { objectName } from '../specs/meta.ts';
import { POSTGRES_ROLES, postgresObjects, postgresSecret } from '../specs/postgres.ts';
import { type Check, firstFault, READY } from '../status/check.ts';
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

/** A managed Postgres with its passwords, or the credentials of an existing one. */
export async function postgres(context: Context): Promise<Check> {
  const { pipeline } = context;
  const managed = !pipeline.spec.postgres.external;
  if (managed) await ensureSecret(context);
  const access = await accessTo(context, managed ? POSTGRES_ROLES : ['POSTGRES']);
  if ('missing' in access) return access.missing;
  const volumes = await ensureWithVolumes(context, 'postgres', postgresObjects(pipeline, access.build));
  if (!managed) return READY;
  return firstFault([volumes, await statefulSetCheck(context, 'postgres')]);
}

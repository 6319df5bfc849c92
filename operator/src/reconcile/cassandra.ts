import { cassandraObjects, cassandraSecret } from '../specs/cassandra.ts';
import { objectName } from '../specs/meta.ts';
import { type Check, READY } from '../status/check.ts';
import { accessTo } from './access.ts';
import type { Context } from './step.ts';
import { statefulSetCheck } from './workload.ts';

/** The password is made once and kept: it opens the volumes. */
async function ensureSecret({ pipeline, cluster, password }: Context): Promise<void> {
  const kept = await cluster.secret(objectName(pipeline, 'cassandra'));
  await cluster.ensure(cassandraSecret(pipeline, { password: kept?.['password'] ?? password() }));
}

/** A managed Cassandra ring with its password, or the credentials of an existing one. */
export async function cassandra(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const managed = !pipeline.spec.cassandra.external;
  if (managed) await ensureSecret(context);
  const access = await accessTo(context, ['CASSANDRA']);
  if ('missing' in access) return access.missing;
  await cluster.ensureOnly('cassandra', cassandraObjects(pipeline, access.build));
  if (!managed) return READY;
  return await statefulSetCheck(context, 'cassandra');
}

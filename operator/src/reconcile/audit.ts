import { auditRoles } from '../specs/access.ts';
import { auditObjects, auditSecret } from '../specs/audit.ts';
import { objectName } from '../specs/meta.ts';
import { type Check, READY } from '../status/check.ts';
import { accessTo, noAccess } from './access.ts';
import type { Context } from './step.ts';
import { deploymentCheck } from './workload.ts';

/** The login of the audit's role, which the stores are told of when they start, and so is there before them. */
export async function auditLogin({ pipeline, cluster, password }: Context): Promise<Check> {
  if (auditRoles(pipeline).length === 0) return READY;
  const kept = await cluster.secret(objectName(pipeline, 'audit'));
  await cluster.ensure(auditSecret(pipeline, { password: kept?.['password'] ?? password() }));
  return READY;
}

/** The worker that compares the stores. Nothing waits for it: users flow without it. */
export async function audit(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const access = pipeline.spec.suspend
    ? noAccess(context)
    : await accessTo(context, ['AUDIT_POSTGRES', 'AUDIT_CASSANDRA']);
  if ('missing' in access) return { ...access.missing, holds: false };
  await cluster.ensureOnly('audit', auditObjects(pipeline, access.build));
  const check = await deploymentCheck(context, 'audit');
  return check.ready ? check : { ...check, holds: false };
}

import { registryObjects } from '../specs/registry.ts';
import { type Check, READY } from '../status/check.ts';
import { accessTo } from './access.ts';
import type { Context } from './step.ts';
import { deploymentCheck } from './workload.ts';

/** A managed schema registry, or the credentials of an existing one. */
export async function registry(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const access = await accessTo(context, ['SCHEMA_REGISTRY', 'KAFKA']);
  if ('missing' in access) return access.missing;
  await cluster.ensureOnly('registry', registryObjects(pipeline, access.build));
  if (pipeline.spec.schemaRegistry.external) return READY;
  return await deploymentCheck(context, 'registry');
}

import { relayObjects } from '../specs/relay.ts';
import type { Check } from '../status/check.ts';
import { accessTo } from './access.ts';
import type { Context } from './step.ts';
import { deploymentCheck } from './workload.ts';

/** The worker that carries changes to Kafka; also while the pipeline is suspended, or the slot would keep WAL for it. */
export async function relay(context: Context): Promise<Check> {
  const access = await accessTo(context, ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY']);
  if ('missing' in access) return access.missing;
  await context.cluster.ensureOnly('relay', relayObjects(context.pipeline, access.build));
  return await deploymentCheck(context, 'relay');
}

import { ingestObjects } from '../specs/ingest.ts';
import { relayObjects } from '../specs/relay.ts';
import { type Check, firstFault } from '../status/check.ts';
import { accessTo } from './access.ts';
import type { Context } from './step.ts';
import { deploymentCheck } from './workload.ts';

/** The workers that carry users from the API to Postgres and from there to Kafka. */
export async function workers(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const access = await accessTo(context, ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY']);
  if ('missing' in access) return access.missing;
  await cluster.ensureOnly('relay', relayObjects(pipeline, access.build));
  await cluster.ensureOnly('ingest', ingestObjects(pipeline, access.build));
  return firstFault([await deploymentCheck(context, 'relay'), await deploymentCheck(context, 'ingest')]);
}

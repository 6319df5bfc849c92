import { sparkObjects } from '../specs/spark.ts';
import type { Check } from '../status/check.ts';
import { accessTo } from './access.ts';
import type { Context } from './step.ts';
import { statefulSetCheck } from './workload.ts';

/** Spark's driver, which asks for its executors itself. */
export async function spark(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const access = await accessTo(context, ['KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA']);
  if ('missing' in access) return access.missing;
  await cluster.ensureAll(sparkObjects(pipeline, access.build));
  return await statefulSetCheck(context, 'spark');
}

import { POD } from '../kube/kinds.ts';
import type { System } from '../specs/access.ts';
import { sparkObjects } from '../specs/spark.ts';
import { type Check, firstFault } from '../status/check.ts';
import { hasEnded } from '../status/pods.ts';
import { replayCheck } from '../status/replay.ts';
import { accessTo, noAccess } from './access.ts';
import { sparkReplicas } from './drain.ts';
import { ensureWithVolumes } from './stateful-set.ts';
import type { Context } from './step.ts';
import { statefulSetCheck } from './workload.ts';

const SYSTEMS: System[] = ['KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA'];

/** A driver that crashed knows nothing of the executors of its former life: theirs ended with it, their pods stay. */
async function deleteEndedExecutors({ cluster }: Context): Promise<void> {
  const executors = (await cluster.pods('spark')).filter(
    (pod) => pod.metadata?.labels?.['spark-role'] === 'executor',
  );
  const ended = executors.filter(hasEnded);
  for (const { metadata } of ended)
    await cluster.delete(POD, metadata?.name ?? '', { uid: metadata?.uid ?? '' });
}

/** Spark's driver, which asks for its executors itself. */
export async function spark(context: Context): Promise<Check> {
  const { pipeline } = context;
  const replicas = await sparkReplicas(context);
  const access = replicas > 0 ? await accessTo(context, SYSTEMS) : noAccess(context);
  if ('missing' in access) return access.missing;
  const objects = sparkObjects(pipeline, access.build, replicas);
  const volumes = await ensureWithVolumes(context, 'spark', objects);
  await deleteEndedExecutors(context);
  return firstFault([volumes, await statefulSetCheck(context, 'spark'), replayCheck(pipeline)]);
}

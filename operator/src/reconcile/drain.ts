import type { V1StatefulSet } from '@kubernetes/client-node';
import { STATEFUL_SET } from '../kube/kinds.ts';
import { objectName } from '../specs/meta.ts';
import { type Check, notReady, READY } from '../status/check.ts';
import { ingestStop, stillUnderWay } from '../status/drain.ts';
import { hasEnded, lostPod } from '../status/pods.ts';
import type { Context } from './step.ts';

/** What of a suspended pipeline is still on its way to Cassandra, in words; undefined when all has arrived. */
function underWay({ pipeline, conditions, reports, now }: Context): string | undefined {
  const told = conditions.find(({ type }) => type === 'WorkersReady');
  return stillUnderWay(ingestStop(told, pipeline.generation, now()), reports);
}

/** Whether Spark had begun, and this very suspension isn't told to be done, as far as the conditions know. */
function mayHaveMore({ pipeline, conditions }: Context): boolean {
  const told = (type: string) => conditions.find((condition) => condition.type === type);
  const ready = told('Ready');
  const done = ready?.reason === 'Suspended' && ready.observedGeneration === pipeline.generation;
  return !done && (told('SparkReady')?.status ?? 'Unknown') !== 'Unknown';
}

/**
 * The pods that Spark's driver shall have. After a suspension it goes on until what is under way has arrived; one that
 * has ended, or never began, stays away. A StatefulSet that is gone, as one that is made anew for larger volumes, tells
 * neither: the conditions then do.
 */
export async function sparkReplicas(context: Context): Promise<number> {
  const { pipeline, cluster } = context;
  if (!pipeline.spec.suspend) return 1;
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, objectName(pipeline, 'spark'));
  const goesOn = live ? (live.spec?.replicas ?? 1) > 0 : mayHaveMore(context);
  return goesOn && underWay(context) ? 1 : 0;
}

/** Whether a suspended pipeline is drained: Spark, which ends last, is gone. */
export async function drain(context: Context): Promise<Check> {
  if (!context.pipeline.spec.suspend) return READY;
  const pods = (await context.cluster.pods('spark')).filter((pod) => !hasEnded(pod));
  const stopping = (await sparkReplicas(context)) === 0;
  if (stopping && pods.length === 0) return READY;
  const what = stopping ? undefined : underWay(context);
  const draining = notReady('Draining', what ?? 'all has arrived; Spark is being stopped');
  return lostPod(pods, context.now()) ?? draining;
}

import type { V1ConfigMap } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { CONFIG_MAP } from '../kube/kinds.ts';
import { fieldsTold, ingestObjects } from '../specs/ingest.ts';
import { objectName } from '../specs/meta.ts';
import { type Check, notReady } from '../status/check.ts';
import { hasEnded, lostPod } from '../status/pods.ts';
import { accessTo, noAccess } from './access.ts';
import type { Context } from './step.ts';
import { deploymentCheck } from './workload.ts';

/**
 * Whether nothing is fetched any more. The first look at a spec always answers no, so that the time from which
 * WorkersReady is true is one at which the pods were gone.
 */
async function stoppedCheck(context: Context): Promise<Check> {
  const { pipeline, conditions, cluster } = context;
  const told = conditions.find(({ type }) => type === 'WorkersReady');
  const pods = (await cluster.pods('ingest')).filter((pod) => !hasEnded(pod));
  if (told?.observedGeneration === pipeline.generation && pods.length === 0) {
    return await deploymentCheck(context, 'ingest');
  }
  const ending = notReady('Stopping', `${pods.length} pods of ingest have yet to end`);
  return lostPod(pods, context.now()) ?? ending;
}

/**
 * The pipeline as ingest may know it. Until provision has made the columns of new fields, it is told of those that it
 * knows already, even where its pods are started anew.
 */
async function fillable({ pipeline, cluster, provisionedNow }: Context): Promise<Pipeline> {
  if (provisionedNow) return pipeline;
  const told = await cluster.get<V1ConfigMap>(CONFIG_MAP, objectName(pipeline, 'ingest'));
  return { ...pipeline, spec: { ...pipeline.spec, fields: fieldsTold(told?.data?.['config.json']) } };
}

/** The worker that fetches users; a suspended pipeline has none. */
export async function ingest(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const { suspend } = pipeline.spec;
  const access = suspend ? noAccess(context) : await accessTo(context, ['POSTGRES']);
  if ('missing' in access) return access.missing;
  await cluster.ensureOnly('ingest', ingestObjects(await fillable(context), access.build));
  return suspend ? await stoppedCheck(context) : await deploymentCheck(context, 'ingest');
}

import { ingestObjects } from '../specs/ingest.ts';
import { type Check, notReady } from '../status/check.ts';
import { hasEnded } from '../status/pods.ts';
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
  return notReady('Stopping', `${pods.length} pods of ingest have yet to end`);
}

/** The worker that fetches users; a suspended pipeline has none. */
export async function ingest(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  const { suspend } = pipeline.spec;
  const access = suspend ? noAccess(context) : await accessTo(context, ['POSTGRES']);
  if ('missing' in access) return access.missing;
  await cluster.ensureOnly('ingest', ingestObjects(pipeline, access.build));
  return suspend ? await stoppedCheck(context) : await deploymentCheck(context, 'ingest');
}

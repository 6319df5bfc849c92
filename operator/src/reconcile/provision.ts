import type { V1Job } from '@kubernetes/client-node';
import { JOB } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { provisionObjects, provisionSystems } from '../specs/provision.ts';
import { type Check, notReady, READY } from '../status/check.ts';
import { lostAfter } from '../status/lost.ts';
import { jobCheck } from '../status/workloads.ts';
import { accessTo } from './access.ts';
import { claimCheck } from './claimed.ts';
import type { Context } from './step.ts';

/** The name of the Job among a worker's objects. */
function jobName(objects: KubeObject[]): string {
  return objects.find(({ kind }) => kind === 'Job')?.metadata.name ?? '';
}

/** A Job of an earlier spec must not work against this one. */
async function deleteOtherJobs({ cluster }: Context, name: string): Promise<void> {
  const jobs = await cluster.list<V1Job>(JOB, 'provision');
  for (const { metadata } of jobs) {
    if (metadata?.name && metadata.name !== name) await cluster.delete(JOB, metadata.name);
  }
}

/** Applies a Job and what it reads, and says how far it has come. */
async function runJob(context: Context, objects: KubeObject[]): Promise<Check> {
  const { cluster } = context;
  const name = jobName(objects);
  await deleteOtherJobs(context, name);
  await cluster.ensureAll(objects);
  const live = await cluster.get<V1Job>(JOB, name);
  return jobCheck(live, await cluster.pods('provision'), context.now());
}

/** A Job that is done and yet has to be done again is deleted, and made anew by the next reconcile. */
async function repeatIfLost(
  { cluster, reports, now }: Context,
  done: Check,
  objects: KubeObject[],
): Promise<Check> {
  const name = jobName(objects);
  const lost = done.ready && lostAfter(await cluster.get<V1Job>(JOB, name), reports, now());
  if (!lost) return done;
  await cluster.delete(JOB, name);
  return notReady(lost.reason, lost.message);
}

/**
 * The Job that makes tables, slot, topics, subject and keyspace. Its name changes with its configuration, so a
 * changed pipeline is provisioned again; it waits for the stores by itself.
 */
export async function provision(context: Context): Promise<Check> {
  const access = await accessTo(context, provisionSystems(context.pipeline));
  if ('missing' in access) return access.missing;
  const objects = provisionObjects(context.pipeline, access.build);
  const begun = await context.cluster.get(JOB, jobName(objects));
  const free = begun ? READY : await claimCheck(context);
  if (!free.ready) return free;
  return await repeatIfLost(context, await runJob(context, objects), objects);
}

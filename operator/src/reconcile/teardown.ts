import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { isForbidden } from '../kube/errors.ts';
import { JOB } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { teardownSystems } from '../specs/config.ts';
import type { BuildContext } from '../specs/images.ts';
import { TEARDOWN_OF, teardownConfig, teardownJob } from '../specs/provision.ts';
import { READY } from '../status/check.ts';
import { jobCheck } from '../status/workloads.ts';
import { accessTo } from './access.ts';
import { teardownCheck } from './claimed.ts';
import type { Context } from './step.ts';

/** How long each part may take: past that it is given up, so that what is gone for good holds no namespace. */
export const LIMIT_MS = 5 * 60_000;

/** How a teardown stands: at work and what it waits for, after which to look again, done, or given up and why. */
export type Teardown =
  | { state: 'working'; awaits: string; againMs: number }
  | { state: 'done' }
  | { state: 'givenUp'; why: string };

export const DONE: Teardown = { state: 'done' };

const AGAIN_MS = 1_000;

/** It goes on by itself, and soon. */
export const working = (awaits: string): Teardown => ({ state: 'working', awaits, againMs: AGAIN_MS });

/** Teardowns that go on side by side, as one. */
export function together(all: Teardown[]): Teardown {
  const whys = all.flatMap((each) => (each.state === 'givenUp' ? [each.why] : []));
  const atWork = all.find(({ state }) => state === 'working');
  return atWork ?? (whys.length > 0 ? { state: 'givenUp', why: whys.join('; ') } : DONE);
}

/** The teardown Jobs of this very pipeline. */
export async function teardownJobs({ pipeline, cluster }: Context): Promise<V1Job[]> {
  const jobs = await cluster.list<V1Job>(JOB, 'provision');
  return jobs.filter(({ metadata }) => metadata?.labels?.[TEARDOWN_OF] === pipeline.uid);
}

export const nameOf = ({ metadata }: V1Job | V1Pod) => metadata?.name ?? '';

/** Makes the Job and what it reads; one that was made with what is wrong now makes room for it. */
async function makeJob(
  { pipeline, cluster }: Context,
  build: BuildContext,
  owned: boolean,
  made: V1Job[],
): Promise<V1Job> {
  const desired = teardownJob(pipeline, build, owned);
  const job = await cluster.ensure<V1Job & KubeObject>(desired);
  await cluster.ensure(teardownConfig(pipeline, job));
  for (const other of made) if (nameOf(other) !== nameOf(job)) await cluster.delete(JOB, nameOf(other));
  return job;
}

/** What is awaited of a Job that isn't done, as long as it has time. */
async function progress({ cluster, now }: Context, job: V1Job): Promise<Teardown> {
  const began = new Date(job.metadata?.creationTimestamp ?? now()).getTime();
  if (now().getTime() - began >= LIMIT_MS)
    return { state: 'givenUp', why: `Job ${nameOf(job)} did not succeed within five minutes` };
  const check = jobCheck(job, await cluster.pods('provision'), now());
  const how = check.ready ? '' : `: ${check.message}`;
  return working(`Job ${nameOf(job)} undoes what lies outside the namespace${how}`);
}

/** Whether the namespace takes no new objects because it is being deleted itself. */
function isNamespaceGoing(error: unknown): boolean {
  return isForbidden(error) && (error as Error).message.includes('being terminated');
}

/**
 * One step of undoing what lies outside the namespace, by a Job, which only needs the credentials of the systems that live
 * on. A Job that is done is never begun again.
 * @param owned whether the Job may go with the pipeline
 */
export async function tearDown(context: Context, owned: boolean): Promise<Teardown> {
  const systems = teardownSystems(context.pipeline);
  if (systems.length === 0) return DONE;
  const made = await teardownJobs(context);
  if (made.some((job) => jobCheck(job, [], context.now()).ready)) return DONE;
  const access = await accessTo(context, systems);
  if ('missing' in access) {
    const [begun] = made;
    if (begun) return await progress(context, begun);
    return { state: 'givenUp', why: access.missing.message };
  }
  // What has begun was free to.
  const free = made.length > 0 ? READY : await teardownCheck(context);
  if (!free.ready) return { state: 'givenUp', why: free.message };
  try {
    return await progress(context, await makeJob(context, access.build, owned, made));
  } catch (error) {
    if (!isNamespaceGoing(error)) throw error;
    return { state: 'givenUp', why: (error as Error).message };
  }
}

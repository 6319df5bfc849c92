import type { Pipeline } from '../api/resource.ts';
import { keyOf } from '../kube/object.ts';
import { asObject, type Standing } from '../kube/standing.ts';
import { type Claim, claimsOf, claimsOfStored, idsOf } from '../specs/claims.ts';
import { sections } from '../specs/config.ts';
import { type Check, READY, stuck } from '../status/check.ts';
import type { PipelineObject } from './pipeline-object.ts';
import type { Context } from './step.ts';

/** A pipeline, as far as it may hold what another wants; who has the lower `rank` goes first. */
type Holder = { metadata: Standing['metadata']; hasData: boolean; rank: string; ids: Set<string> };

function look(standing: Standing): Holder {
  const pipeline = asObject(standing) as PipelineObject;
  const { creationTimestamp, uid } = pipeline.metadata;
  const hasData = pipeline.status?.dataSince !== undefined;
  // Who has data comes first, then who was there first.
  const rank = `${hasData ? 0 : 1} ${creationTimestamp} ${uid}`;
  const ids = new Set(claimsOfStored(pipeline).flatMap(idsOf));
  return { metadata: standing.metadata, hasData, rank, ids };
}

/** Each state of a pipeline is looked at once, however many ask: there may be a thousand. */
const seen = new WeakMap<Standing, Holder>();

function holderOf(standing: Standing): Holder {
  const holder = seen.get(standing) ?? look(standing);
  seen.set(standing, holder);
  return holder;
}

/** The other pipeline, as far as a tenant may know of it. */
function inWords({ namespace }: Pipeline, { metadata }: Holder): string {
  return metadata.namespace === namespace
    ? `the pipeline ${keyOf(metadata)}`
    : 'a pipeline of another namespace';
}

/** Whether another of those that `holds` tells of one's own holds any of the claims. */
async function checkClaims(
  { cluster, pipeline }: Context,
  claims: Claim[],
  holds: (other: Holder, own: Holder) => boolean,
): Promise<Check> {
  const all = (await cluster.pipelines()).map(holderOf);
  const own = all.find(({ metadata }) => metadata.uid === pipeline.uid);
  const others = all.filter((other) => own && other !== own && holds(other, own));
  for (const claim of claims) {
    const holder = others.find(({ ids }) => idsOf(claim).some((id) => ids.has(id)));
    if (holder)
      return stuck(
        'NameTaken',
        `${claim.what} at ${claim.at.join(', ')} is held by ${inWords(pipeline, holder)}; ${claim.remedy}, or have that pipeline deleted`,
      );
  }
  return READY;
}

/**
 * Refuses what another pipeline holds for itself: each would overwrite the other's users, and delete them with its own. Two
 * on two Kafkas that have shared a subject up to now may go on: it is one schema, and neither can take another name.
 */
export async function claimCheck(context: Context): Promise<Check> {
  const claims = claimsOf(context.pipeline).filter(({ part }) => part !== 'subject' || !context.provisioned);
  return await checkClaims(context, claims, (other, own) => other.rank < own.rank);
}

/** Refuses to take away what another pipeline holds, or has data in, whoever was first. */
export async function teardownCheck(context: Context): Promise<Check> {
  const { teardown } = sections(context.pipeline);
  const claims = claimsOf(context.pipeline).filter(({ part }) => teardown[part]);
  return await checkClaims(context, claims, (other, own) => other.hasData || other.rank < own.rank);
}

import { claimsOf, claimsOfStored, clash } from '../api/claims.ts';
import type { Pipeline } from '../api/resource.ts';
import { keyOf } from '../kube/object.ts';
import { type Check, READY, stuck } from '../status/check.ts';
import type { PipelineObject } from './pipeline-object.ts';
import type { Context } from './step.ts';

/** Whether a name may be another's: a topic that is not named has the pipeline's own. */
function mayClash({ spec }: Pipeline): boolean {
  const namesTopic = spec.kafka.external !== undefined && spec.kafka.topic.name !== undefined;
  return namesTopic || spec.cassandra.external !== undefined;
}

/** Who has data comes first, then who was there first. */
function rank({ metadata, status }: PipelineObject): string {
  return `${status?.dataSince ? 0 : 1} ${metadata.creationTimestamp} ${metadata.uid}`;
}

/** The other pipeline, as far as a tenant may know of it. */
function inWords({ namespace }: Pipeline, { metadata }: PipelineObject): string {
  return metadata.namespace === namespace
    ? `the pipeline ${keyOf(metadata)}`
    : 'a pipeline of another namespace';
}

/** Refuses what another pipeline holds for itself: each would overwrite the other's users, and delete them with its own. */
export async function claimCheck({ cluster, pipeline }: Context): Promise<Check> {
  if (!mayClash(pipeline)) return READY;
  const all = await cluster.pipelines();
  const own = all.find(({ metadata }) => metadata.uid === pipeline.uid);
  for (const other of all) {
    if (!own || rank(other) >= rank(own)) continue;
    const claim = clash(claimsOf(pipeline), claimsOfStored(other));
    if (claim)
      return stuck(
        'NameTaken',
        `${claim.what} at ${claim.at.join(', ')} is held by ${inWords(pipeline, other)}; ${claim.remedy}, or have that pipeline deleted`,
      );
  }
  return READY;
}

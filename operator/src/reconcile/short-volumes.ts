import type { V1PersistentVolumeClaim, V1StatefulSet } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { quantityValue } from '../api/scalars.ts';
import type { PipelineStatus } from '../api/status.ts';
import { STATEFUL_SET, VOLUME_CLAIM } from '../kube/kinds.ts';
import { type Component, objectName, ordinalOf } from '../specs/meta.ts';
import { canonicalQuantity } from '../specs/quantities.ts';
import { sizeOf } from '../status/volumes.ts';
import type { Context } from './step.ts';

type Volumes = NonNullable<PipelineStatus['volumes']>;
type Stage = Volumes[number]['stage'];

/** The sizes that the spec asks for of the operator's own StatefulSets. */
function wanted({ spec }: Pipeline): [Stage, Component, string | number | undefined][] {
  const { postgres, spark, cassandra } = spec;
  return [
    ['Postgres', 'postgres', postgres.managed?.storage.size],
    ['Spark', 'spark', spark.checkpoint.uri ? undefined : spark.checkpoint.storage.size],
    ['Cassandra', 'cassandra', cassandra.managed?.storage.size],
  ];
}

/** The claims of the pods that a component's StatefulSet has; others of its name may be of an earlier life. */
async function claims({ cluster, pipeline }: Context, component: Component) {
  const set = objectName(pipeline, component);
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, set);
  const all = await cluster.list<V1PersistentVolumeClaim>(VOLUME_CLAIM, component);
  return all.filter(({ metadata }) => ordinalOf(set, metadata?.name) < (live?.spec?.replicas ?? 1));
}

/** The smallest volume of each stage whose volumes are smaller than the spec asks for: they have yet to grow, or can't. */
export async function shortVolumes(context: Context): Promise<Volumes> {
  const short: Volumes = [];
  for (const [stage, component, size] of wanted(context.pipeline)) {
    if (size === undefined) continue;
    const sizes = (await claims(context, component)).map(sizeOf);
    const [smallest] = sizes.sort((a, b) => quantityValue(a) - quantityValue(b));
    if (smallest && quantityValue(smallest) < quantityValue(size))
      short.push({ stage, size: canonicalQuantity(smallest) });
  }
  return short;
}

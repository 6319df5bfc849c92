import type { V1PersistentVolumeClaim, V1StatefulSet } from '@kubernetes/client-node';
import type { Pipeline } from '../../api/resource.ts';
import { CONFIG_MAP, STATEFUL_SET, VOLUME_CLAIM } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { cassandraObjects } from '../../specs/cassandra.ts';
import type { BuildContext } from '../../specs/images.ts';
import { objectName, ordinalOf } from '../../specs/meta.ts';
import type { Check } from '../../status/check.ts';
import { ensureWithVolumes } from '../stateful-set.ts';
import type { Context } from '../step.ts';
import { ringPods } from './node.ts';
import type { RingPod } from './ring.ts';
import { among, readUpkeep, UNKNOWN, type Upkeep, type Wanted, writeUpkeep } from './upkeep.ts';

export type Managed = NonNullable<Pipeline['spec']['cassandra']['managed']>;

/** A managed ring: how it should be, and as the API server holds it. */
export type Ring = {
  context: Context;
  build: BuildContext;
  managed: Managed;
  wanted: Wanted;
  /** How many nodes its StatefulSet has now, or had before it was gone. */
  nodes: number;
  upkeep: Upkeep;
  /** As `holdsData` says. */
  holdsData: boolean;
  /** Whether more nodes than the first ever came about, which then know each other. */
  formed: boolean;
  pods: RingPod[];
  /** When it was made. */
  since: string;
};

/**
 * The nodes that there are: those that the StatefulSet says or, for somebody may have edited it, that have volumes; where it
 * is gone, those that have left anything behind.
 */
function present(live: V1StatefulSet | undefined, volumes: number[], pods: number[], wanted: number): number {
  const ordinals = live ? volumes : [...volumes, ...pods];
  return Math.max(live?.spec?.replicas ?? wanted, ...ordinals.map((ordinal) => ordinal + 1));
}

/** The ordinals of a ring's members by its volumes: that of a node that has left is deleted, any other that came about stays. */
export function members(set: string, volumes: V1PersistentVolumeClaim[]): number[] {
  return volumes
    .filter(({ metadata, spec }) => spec?.volumeName && !metadata?.deletionTimestamp)
    .map(({ metadata }) => ordinalOf(set, metadata?.name))
    .filter(Number.isInteger);
}

/** Whether a volume was in use before the ring of this life was made, and stays. */
export function isOfEarlierLife({ metadata, status }: V1PersistentVolumeClaim, since: string): boolean {
  const { creationTimestamp: madeAt, deletionTimestamp } = metadata ?? {};
  if (deletionTimestamp) return false;
  return status?.phase === 'Bound' && madeAt !== undefined && new Date(madeAt) < new Date(since);
}

/** What outlives the StatefulSet: what is known of the ring since when, its volumes, and whether they may hold data. */
async function readLife({ cluster, pipeline, now, provisioned }: Context) {
  const config = await cluster.get<KubeObject>(CONFIG_MAP, objectName(pipeline, 'cassandra'));
  const madeAt = config?.metadata.creationTimestamp ?? now().toISOString();
  // A ConfigMap of the life before, which was not collected yet, is taken up.
  const since = madeAt > pipeline.creationTimestamp ? madeAt : pipeline.creationTimestamp;
  const volumes = await cluster.list<V1PersistentVolumeClaim>(VOLUME_CLAIM, 'cassandra');
  const holdsData = provisioned || volumes.some((volume) => isOfEarlierLife(volume, since));
  return { annotations: config?.metadata.annotations, since, volumes, holdsData };
}

/** Whether the ring's nodes may hold data: of this pipeline, or of an earlier one of its name whose volumes were kept. */
export async function holdsData(context: Context): Promise<boolean> {
  return (await readLife(context)).holdsData;
}

export async function readRing(context: Context, build: BuildContext, managed: Managed): Promise<Ring> {
  const { pipeline, cluster, provisioned } = context;
  const name = objectName(pipeline, 'cassandra');
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, name);
  const { annotations, since, volumes, holdsData } = await readLife(context);
  const pods = ringPods(await cluster.pods('cassandra'));
  const wanted = { nodes: managed.replicas, copies: pipeline.spec.cassandra.replicationFactor };
  const [withVolume, withPod] = [members(name, volumes), pods.map(({ ordinal }) => ordinal)];
  const nodes = present(live, withVolume, withPod, wanted.nodes);
  // Since there is data there was always a note: one that is missing is lost, and with it what was due.
  const unsaid = provisioned ? UNKNOWN : wanted;
  return {
    context,
    build,
    managed,
    wanted,
    nodes,
    // Without data there is nothing to be moved or filled.
    upkeep: holdsData ? among(readUpkeep(annotations, unsaid), nodes) : wanted,
    holdsData,
    formed: [...withVolume, ...withPod].some((ordinal) => ordinal > 0),
    pods,
    since,
  };
}

/**
 * Makes the ring's objects be as the pipeline says, with so many nodes and with what is known of its upkeep.
 * @returns what hinders its volumes, else READY
 */
export function ensureRing({ context, build }: Ring, nodes: number, upkeep: Upkeep): Promise<Check> {
  const annotations = writeUpkeep(upkeep);
  const objects = cassandraObjects(context.pipeline, build, { nodes, annotations });
  return ensureWithVolumes(context, 'cassandra', objects);
}

import type { V1Pod } from '@kubernetes/client-node';
import type { Random } from '../../operator/test/faults/random.ts';
import type { Load } from './load.ts';
import { batchInHand, claimedPages, unpublished, type Work } from './work.ts';
import type { World } from './world.ts';

type Under = { world: World; load: Load };

/** A stage that may be killed, and what it must be at just then. */
export type Stage = {
  pods: (world: World) => Promise<V1Pod[]>;
  work: (under: Under) => Promise<Work>;
  /** What the work is counted in. */
  unit: string;
};

const spark = (isDriver: boolean) => async (world: World) =>
  (await world.pods('spark')).filter(({ metadata }) => metadata?.name?.endsWith('-spark-0') === isDriver);

const PAGES = { work: claimedPages, unit: 'pages claimed' };
const TRANSACTIONS = { work: unpublished, unit: 'transactions to publish' };
const RECORDS = { work: batchInHand, unit: 'records in a batch' };

export const STAGES = {
  ingest: { pods: (world) => world.pods('ingest'), ...PAGES },
  relay: { pods: (world) => world.pods('relay'), ...TRANSACTIONS },
  broker: { pods: (world) => world.podsBy('kafka', 'app.kubernetes.io/name=kafka'), ...TRANSACTIONS },
  'Spark driver': { pods: spark(true), ...RECORDS },
  'Spark executor': { pods: spark(false), ...RECORDS },
  Cassandra: { pods: (world) => world.pods('cassandra'), ...RECORDS },
  Postgres: { pods: (world) => world.pods('postgres'), ...TRANSACTIONS },
} as const satisfies Record<string, Stage>;

/** Stages that hold no work of their own: the registry is asked by who starts, the source by ingest. */
export const BESIDE = {
  registry: (world: World) => world.pods('registry'),
  source: (world: World) => world.podsBy('source', 'app.kubernetes.io/name=source'),
} as const;

export type StageName = keyof typeof STAGES;
export type PodName = StageName | keyof typeof BESIDE;
/** Whose work is looked at, and who dies beside it. */
export type Kill = [victim: StageName, ...others: PodName[]];

export const STAGE_NAMES = Object.keys(STAGES) as StageName[];

export function podsOf(name: PodName, world: World): Promise<V1Pod[]> {
  return name in BESIDE ? BESIDE[name as keyof typeof BESIDE](world) : STAGES[name as StageName].pods(world);
}

/**
 * Kill number `count`: each stage in turn, one time in four with another. The registry goes with one of those who can't
 * start without it.
 */
export function chooseKill(count: number, random: Random): Kill {
  const victim = STAGE_NAMES[count % (STAGE_NAMES.length + 1)];
  if (victim === undefined) return [random.pick(['relay', 'Spark driver']), 'registry'];
  const others = STAGE_NAMES.filter((name) => name !== victim);
  return random.below(4) === 0 ? [victim, random.pick(others)] : [victim];
}

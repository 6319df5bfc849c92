import { faultless, lasting } from '../faultless.ts';
import type { Random } from '../random.ts';
import { apply, broken, CREATED, play, recreateAtOnce, STRIMZI, type Step, suspend } from '../scenarios.ts';
import { merged } from '../specs.ts';
import type { Kind, Suite } from '../suite.ts';

const KIND = 'any state to any other';

type Spec = Record<string, unknown>;

const memory = (amount: string): Spec => ({ resources: { limits: { memory: amount } } });

/** What a pipeline may be changed to, and back from, at any time. */
const CHANGES: Spec[] = [
  { source: { seed: 'abc', nationalities: ['DE', 'FR'] } },
  { source: { interval: '1s', batchSize: 50 } },
  { ingest: { replicas: 4, ...memory('1Gi') } },
  { relay: { replicas: 1, compression: 'none' } },
  { postgres: { managed: { maxSlotWalKeepSize: '1Gi', ...memory('3Gi') } } },
  { postgres: { managed: { image: 'other-postgres:1' } } },
  { kafka: { topic: { retention: '1h', cleanup: ['compact'] } } },
  { kafka: { external: { bootstrapServers: 'one:9092,two:9092' } } },
  { schemaRegistry: { managed: { replicas: 3 } } },
  { spark: { sql: 'SELECT id, email FROM users', trigger: '5s' } },
  { spark: { conf: { 'spark.sql.shuffle.partitions': '7' }, executor: { instances: 5 } } },
  { spark: { driver: memory('3Gi') } },
  { cassandra: { managed: { config: { concurrent_writes: '64' } } } },
  { cassandra: { managed: { image: 'other-cassandra:1', ...memory('6Gi') } } },
  { fields: [{ name: 'city', path: 'location.city' }] },
  { fields: [{ name: 'latitude', type: 'double', path: 'location.coordinates.latitude' }] },
  { audit: { interval: '10m', usersPerSecond: 500, ...memory('1Gi') } },
  { deletionPolicy: 'Delete' },
];

/** From these there is no way back, for a volume doesn't shrink. */
const GROWTHS: Spec[] = [
  { postgres: { managed: { storage: { size: '20Gi' } } } },
  { spark: { checkpoint: { storage: { size: '2Gi' } } } },
  { cassandra: { managed: { storage: { size: '30Gi' } } } },
];

const JOURNEYS = 9;
const CHANGES_A_STATE = 4;

function someState(random: Random): Spec {
  return random
    .shuffled(CHANGES)
    .slice(0, 1 + random.below(CHANGES_A_STATE))
    .reduce(merged, {});
}

type Journey = { by: Step[]; to: Spec };

const asItSays = (spec: Spec) => apply(JSON.stringify(spec), spec);

/** Through two states to a third; every third journey is suspended on its way, every third grows. */
function journey(index: number, random: Random, suite: Suite): Journey {
  const [from, over] = [someState(random), someState(random)];
  // A sample goes where the runs of other kinds arrive, too.
  if (suite.sampled) return { by: [asItSays(from), asItSays(over)], to: {} };
  const to = someState(random);
  if (index % 3 === 0) return { by: [asItSays(from), suspend(over)], to };
  if (index % 3 === 1) return { by: [asItSays(from), asItSays(over)], to };
  const growth = random.pick(GROWTHS);
  return { by: [asItSays(from), asItSays(merged(over, growth))], to: merged(to, growth) };
}

/** As long as nothing is provisioned, which needs the Secret, there is no data, and Kafka may become another's. */
function beforeData(kafka: Spec, to: Spec): Journey {
  const registry = { external: { url: 'http://registry.example', secretRef: { name: 'missing' } } };
  const waiting = broken({ ...kafka, schemaRegistry: registry }, /Secret missing doesn't exist/);
  return { by: [{ ...waiting, name: `${JSON.stringify(kafka)} without a Secret` }], to };
}

/** A pipeline that was something else before is as one that has never been anything else. */
export const journeys: Kind = {
  name: KIND,
  async run(suite, random) {
    const all: Journey[] = [
      ...Array.from({ length: JOURNEYS }, (_, index) => journey(index, random, suite)),
      { by: [apply('create'), recreateAtOnce], to: {} },
      beforeData(STRIMZI, {}),
      ...(suite.sampled ? [] : [beforeData({}, STRIMZI)]),
    ];
    const chosen = suite.choose(random, all, 1).map(async ({ by, to }) => {
      const goal = JSON.stringify(to);
      const name = goal === '{}' ? CREATED.name : `arrive at ${goal}`;
      const { end } = await faultless(suite, { name, before: [], steps: [apply('create', to)] });
      const way = [...by.map((step) => step.name), goal].join(', ');
      await suite.attempt(KIND, way, async ({ run, harmed, same }) => {
        run.startOperator();
        await play(run, [...by, apply('arrive', to)]);
        harmed(by.length);
        same(await lasting(run, end));
      });
    });
    await Promise.all(chosen);
  },
};

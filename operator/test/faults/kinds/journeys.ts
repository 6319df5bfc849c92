import { faultless } from '../faultless.ts';
import type { Random } from '../random.ts';
import { apply, play } from '../scenarios.ts';
import { merged } from '../specs.ts';
import { withoutHistory } from '../state.ts';
import type { Kind } from '../suite.ts';

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
  { schemaRegistry: { managed: undefined, external: { url: 'http://registry.example' } } },
  { spark: { sql: 'SELECT id, email FROM users', trigger: '5s' } },
  { spark: { conf: { 'spark.sql.shuffle.partitions': '7' }, executor: { instances: 5 } } },
  { spark: { driver: memory('3Gi') } },
  { cassandra: { managed: { config: { concurrent_writes: '64' } } } },
  { cassandra: { managed: { image: 'other-cassandra:1', ...memory('6Gi') } } },
  { deletionPolicy: 'Delete' },
];

const JOURNEYS = 8;
const CHANGES_A_STATE = 4;

function someState(random: Random): Spec {
  return random
    .shuffled(CHANGES)
    .slice(0, 1 + random.below(CHANGES_A_STATE))
    .reduce(merged, {});
}

/** A pipeline that was something else before is as one that has never been anything else. */
export const journeys: Kind = {
  name: KIND,
  async run(suite, random) {
    const all = Array.from({ length: JOURNEYS }, () => ({
      from: someState(random),
      over: someState(random),
      to: someState(random),
    }));
    const chosen = suite.choose(random, all, 1).map(async ({ from, over, to }) => {
      const goal = suite.sampled ? {} : to;
      const name = suite.sampled ? 'create' : `arrive at ${JSON.stringify(goal)}`;
      const { end } = await faultless(suite, { name, before: [], steps: [apply('create', goal)] });
      const way = `${JSON.stringify(from)}, ${JSON.stringify(over)}, ${JSON.stringify(goal)}`;
      await suite.attempt(KIND, way, async ({ run, harmed, same }) => {
        run.startOperator();
        await play(run, [apply('from', from), apply('over', over), apply('to', goal)]);
        harmed(2);
        same(end.differences(withoutHistory(await run.state())));
      });
    });
    await Promise.all(chosen);
  },
};

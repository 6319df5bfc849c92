import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { until } from '../../workers/test/wait.ts';
import { SOURCE } from './installed.ts';
import { differences } from './users.ts';
import { World } from './world.ts';

const MINUTES = 60_000;

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'pausing');
after(() => client.close());

/** A flow that goes on for minutes. */
const source = {
  url: `${SOURCE}/api/1.4/`,
  seed: 'slowly',
  batchSize: 10,
  interval: '1s',
};

/** Whether Ready has this reason, of the spec as it is now. */
async function says(reason: string): Promise<boolean> {
  const object = await world.get();
  const ready = object?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.observedGeneration === object?.metadata.generation && ready?.reason === reason;
}

const podCounts = () =>
  Promise.all(['ingest', 'relay', 'spark'].map(async (component) => (await world.pods(component)).length));

const versionNow = async () => (await world.get())?.metadata.resourceVersion;

/** Waits until Cassandra has more users than `before`. */
async function grows(before: number): Promise<void> {
  await until('users to flow', async () => (await world.cassandraUsers()).size > before, 3 * MINUTES);
}

describe('a suspension while users flow', () => {
  before(async () => {
    await world.apply({ source });
    await until('the pipeline to be Ready', () => says('Running'), 10 * MINUTES);
    await grows(50);
  });

  test('ends when all that was fetched stands in Cassandra', async () => {
    await world.apply({ source, suspend: true });
    await until('it to drain', () => says('Draining'), MINUTES);
    await until('it to be suspended', () => says('Suspended'), 3 * MINUTES);
    const fetched = await world.postgresUsers();
    assert.deepEqual(differences(fetched, await world.cassandraUsers()).slice(0, 10), []);
    const [ingest, relay = 0, spark] = await podCounts();
    assert.deepEqual([ingest, spark], [0, 0]);
    assert.ok(relay > 0, 'the relay goes on');
    assert.equal((await world.postgresUsers()).size, fetched.size, 'nothing is fetched any more');
  });

  test('leaves the resource as it is, though its workers tell their figures once a minute', async () => {
    let [version, since] = [await versionNow(), performance.now()];
    const rests = async () => {
      const now = await versionNow();
      if (now !== version) [version, since] = [now, performance.now()];
      return performance.now() - since > 2 * MINUTES;
    };
    await until('nothing to be written for two minutes', rests, 6 * MINUTES);
  });

  test('goes on from there when it is resumed', async () => {
    const { size } = await world.cassandraUsers();
    await world.apply({ source, suspend: false });
    await grows(size);
    await until('it to run', () => says('Running'), 3 * MINUTES);
  });
});

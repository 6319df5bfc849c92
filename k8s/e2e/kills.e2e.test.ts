import { after, before, describe, test } from 'node:test';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { seedOf } from '../../operator/test/faults/play.ts';
import { Random } from '../../operator/test/faults/random.ts';
import { Chaos } from './chaos.ts';
import { STAGE_NAMES } from './stages.ts';

const ALL_MS = 3 * 60_000;
/** A kill and what follows take so long, more or less. */
const KILL_MS = 30_000;

const seed = seedOf(process.env);
const random = new Random(`${seed}`);

const client = new KubeClient(loadKubeConfig());
const chaos = new Chaos(client, 'kills');
after(() => client.close());

describe('a sample of chaos', () => {
  before(async () => {
    console.log(`SEED=${seed}`);
    await chaos.start();
  });
  after(() => chaos.stop());

  test('stages that are killed under load, as many as three minutes have room for, lose nothing', async (t) => {
    const deadline = Date.now() + ALL_MS;
    for (const victim of random.shuffled(STAGE_NAMES)) {
      if (Date.now() > deadline - KILL_MS) break;
      await t.test(`is equal after a kill: ${victim}`, () => chaos.kill([victim]));
    }
  });
});

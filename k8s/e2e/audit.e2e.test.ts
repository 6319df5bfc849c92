import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { until } from '../../workers/test/wait.ts';
import { run } from '../cluster/run.ts';
import { sourceOf, USERS } from './installed.ts';
import { World } from './world.ts';

const MINUTES = 60_000;
const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const STRANGER = '12345678-1234-4234-8234-123456789abc';

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'audited');
after(() => client.close());

/** The condition DataIntact, once it has this status. */
function intact(status: string) {
  const look = async () => {
    const { conditions = [] } = await world.status();
    return conditions.find((each) => each.type === 'DataIntact' && each.status === status);
  };
  return until(`DataIntact to be ${status}`, look, 4 * MINUTES);
}

describe('an audited pipeline', () => {
  before(async () => {
    await world.apply({ source: sourceOf('audited', 500), audit: { interval: '5s' } });
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
    const all = async () => (await world.cassandraUsers()).size === USERS;
    await until(`${USERS} users in Cassandra`, all, 5 * MINUTES);
  });

  test('says that its data is intact, with figures', async () => {
    await intact('True');
    const complete = async () => (await world.status()).audit?.users === USERS;
    await until('the audit to have compared all', complete, 4 * MINUTES);
    const { rows, differing } = (await world.status()).audit ?? {};
    assert.deepEqual({ rows, differing }, { rows: USERS, differing: 0 });
  });

  test('erases a user, and proves it', async () => {
    const [id = ''] = (await world.postgresUsers()).keys();
    const erase = join(import.meta.dirname, '..', 'erase', 'main.ts');
    const proof = await run(process.execPath, [erase, 'audited', id, 'e2e'], { env: process.env });
    assert.match(proof, /^Postgres +users: 1 row deleted, none left$/m);
    assert.match(proof, /^Cassandra +userstream\.users: no row$/m);
    assert.equal((await world.cassandraUsers()).has(id), false);
  });

  test('names exactly the users that differ', async () => {
    const [changed, missing] = [...(await world.postgresUsers()).keys()];
    await world.cassandraQuery(`UPDATE userstream.users SET email = 'x' WHERE id = ${changed}`);
    await world.cassandraQuery(`DELETE FROM userstream.users WHERE id = ${missing}`);
    await world.cassandraQuery(`INSERT INTO userstream.users (id) VALUES (${STRANGER})`);
    const { reason, message } = await intact('False');
    assert.equal(reason, 'DataDiffers');
    assert.deepEqual(message.match(UUIDS)?.sort(), [changed, missing, STRANGER].sort());
  });
});

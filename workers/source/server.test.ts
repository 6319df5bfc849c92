import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { listen } from '../lib/http.ts';
import { apiUser } from '../lib/user.ts';
import { NATIONALITIES } from './nationalities.ts';
import { Served } from './served.ts';
import { sourceListener } from './server.ts';
import type { SourceUser } from './users.ts';

type Answer = {
  results: SourceUser[];
  info: { seed: string; results: number; page: number; version: string };
};

const rate = { users: 1_000_000, perMs: 1000 };

async function serve(options: Partial<Parameters<typeof sourceListener>[0]> = {}) {
  const limit = Number.MAX_SAFE_INTEGER;
  const given = { limit, rate, now: Date.now, served: new Served(), ...options };
  const server = await listen(sourceListener(given), 0);
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  const users = async (query: string) => (await (await get(`/api/1.4/?${query}`)).json()) as Answer;
  const served = async (query = '') => {
    const lines = (await (await get(`/served${query}`)).text()).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as SourceUser);
  };
  return { server, get, users, served };
}

const ids = (answer: Answer) => answer.results.map((user) => user.login.uuid);

describe('the source', () => {
  let source: Awaited<ReturnType<typeof serve>>;
  before(async () => {
    source = await serve();
  });
  after(() => source.server.close());

  test('answers in the API’s shape, with users that ingest accepts', async () => {
    const answer = await source.users('results=200&seed=shape');
    assert.deepEqual(answer.info, { seed: 'shape', results: 200, page: 1, version: '1.4' });
    for (const user of answer.results) {
      assert.ok(apiUser.safeParse(user).success);
      assert.match(user.login.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    const postcodes = answer.results.map((user) => typeof user.location.postcode);
    assert.deepEqual([...new Set(postcodes)].sort(), ['number', 'string']);
    assert.ok(answer.results.some((user) => /\P{Script=Latin}/u.test(user.name.first)));
  });

  test('gives the same users for the same seed and page, others for any other', async () => {
    const first = await source.users('results=50&seed=s&page=1');
    assert.deepEqual(await source.users('results=50&seed=s&page=1'), first);
    const others = ['seed=s&page=2', 'seed=t&page=1', 'seed=s&page=1&nat=fr'];
    const all = [first, ...(await Promise.all(others.map((query) => source.users(`results=50&${query}`))))];
    assert.equal(new Set(all.flatMap(ids)).size, 50 * all.length);
  });

  test('takes a fresh seed where none is given, and says which', async () => {
    const [one, two] = [await source.users('results=5'), await source.users('results=5')];
    assert.notEqual(one.info.seed, two.info.seed);
    assert.deepEqual(ids(await source.users(`results=5&seed=${one.info.seed}`)), ids(one));
  });

  test('keeps to the nationalities and the fields asked for', async () => {
    const { results } = await source.users('results=50&nat=fr,UA&inc=nat,login,email&exc=email');
    assert.deepEqual([...new Set(results.map((user) => user.nat))].sort(), ['FR', 'UA']);
    assert.deepEqual(Object.keys(results[0] ?? {}).sort(), ['login', 'nat']);
  });

  test('takes numbers out of bounds for 1, as the API does', async () => {
    const { info } = await source.users('results=5001&page=-1');
    assert.deepEqual([info.results, info.page], [1, 1]);
    assert.equal((await source.users('')).results.length, 1);
    assert.equal((await source.get('/elsewhere')).status, 404);
    assert.equal((await source.get('//')).status, 400);
    assert.equal((await source.get('/api/?results=2')).status, 200);
  });
});

test('each seed ends after the limit, and what was served is listed once with all fields', async () => {
  const { server, users, served } = await serve({ limit: 25 });
  try {
    const pages = [];
    for (const page of [1, 2, 3, 4, 2]) pages.push(await users(`results=10&seed=a&page=${page}&inc=login`));
    assert.deepEqual(
      pages.map(({ info }) => info.results),
      [10, 10, 5, 0, 10],
    );
    assert.equal((await users('results=30&seed=b')).results.length, 25);
    // All nationalities by name are the same users as without any.
    await users(`results=30&seed=b&nat=${NATIONALITIES.map(({ nat }) => nat)}`);
    const listed = await served();
    assert.equal(listed.length, 50);
    assert.deepEqual(
      listed.slice(0, 25).map((user) => user.login.uuid),
      pages.slice(0, 3).flatMap(ids),
    );
    assert.ok(listed.every((user) => user.email.includes('@')));
    assert.deepEqual(await served('?seed=a'), listed.slice(0, 25));
    assert.deepEqual(await served('?seed=none&seed=b'), listed.slice(25));
  } finally {
    await server.close();
  }
});

test('without a seed the limit counts all requests together', async () => {
  const { server, users } = await serve({ limit: 25 });
  try {
    const counts = [];
    for (let request = 0; request < 4; request += 1) counts.push((await users('results=10')).results.length);
    assert.deepEqual(counts, [10, 10, 5, 0]);
  } finally {
    await server.close();
  }
});

test('past the rate it answers 429, and says when to come again', async () => {
  let now = 0;
  const { server, get } = await serve({ rate: { users: 100, perMs: 60_000 }, now: () => now });
  try {
    assert.equal((await get('/api/?results=100')).status, 200);
    now = 20_500;
    const refused = await get('/api/?results=1');
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '40']);
    now = 60_000;
    assert.equal((await get('/api/?results=100')).status, 200);
  } finally {
    await server.close();
  }
});

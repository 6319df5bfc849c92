import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { types } from 'cassandra-driver';
import { run } from '../../k8s/cluster/run.ts';
import { userColumns } from '../lib/columns.ts';
import { type AvroUser, encode } from '../test/avro.ts';
import { pysparkHome } from '../test/pyspark.ts';
import { SinkBench, user } from '../test/sink.ts';
import { pythonEnv } from '../test/spark.ts';
import { until } from '../test/wait.ts';

const BEFORE_1900 = Date.UTC(1843, 2, 31, 16, 53, 25, 7);
const PLANES = Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x41)).join(
  '',
);

/** It leaves some out, makes much of others, and throws an error on a few. */
const SQL = `SELECT *, CASE WHEN username = 'large' THEN repeat(first_name, int(post_code)) END AS large,
    CASE WHEN username = 'odd' THEN int(to_number(post_code, '999')) END AS odd
  FROM users WHERE coalesce(nationality, '') <> 'XX'`;

/** Users as they may come, each with a name that says what is special about it. */
const EDGES: Record<string, Partial<AvroUser>> = {
  'Unicode of every plane': {
    first_name: `${PLANES}\u0001\ufeff\u2028\uffff`,
    address: "'; DROP TABLE users; --",
  },
  'a field of 1 MB': { address: 'é'.repeat(500_000) },
  'nothing but an id': {},
  'dates before 1900': { dob: BEFORE_1900, registered_date: -62_135_596_800_000 },
  'the last moment': { dob: 253_402_300_799_999, registered_date: 0 },
  'a number for a post code': { post_code: '00730', phone: '0', email: '' },
  'texts that look like nothing': { first_name: 'null', last_name: '\\N', gender: 'NaN' },
};

test('Spark’s own part of the job, in Python', { timeout: 600_000 }, async () => {
  const directory = join(import.meta.dirname, 'test');
  // The workers' Python finds the tests' modules where it is started.
  for (const pattern of ['test_*.py', 'integration_*.py'])
    await run('python3', ['-m', 'unittest', 'discover', '-p', pattern], {
      cwd: directory,
      env: pythonEnv(await pysparkHome()),
    });
});

describe('the streaming job', { timeout: 900_000 }, () => {
  let bench: SinkBench = undefined as never;

  before(async () => {
    bench = await SinkBench.start({ sql: SQL });
    await bench.startSpark();
  });

  after(() => bench?.stop());

  /** The dead letter of a record, once it has come. */
  const letterOf = (id: string) =>
    until('the dead letter', async () => (await bench.letters(1)).find(({ key }) => key === id));

  test('every user stands in Cassandra to the field', async () => {
    const users = Object.values(EDGES).map((fields) => user(fields));
    await bench.publish(users.map((each, index) => ({ user: each, version: 100n + BigInt(index) })));
    for (const each of users) await bench.stands(each);
  });

  test('a user that was updated a thousand times in one transaction stands as it was left', async () => {
    const { id } = user({});
    const versions = Array.from({ length: 1000 }, (_, index) => ({
      user: user({ id, first_name: `name ${index}`, email: index % 2 ? null : 'even' }),
      version: 1000n + BigInt(index),
    }));
    await bench.publish(versions);
    await bench.stands(user({ id, first_name: 'name 999', email: null }));
  });

  test('a large user that was updated hundreds of times stands as it was left, behind many small ones in one batch', async () => {
    const { id } = user({});
    const large = (index: number) => user({ id, address, first_name: `name ${index}` });
    const address = randomBytes(350_000).toString('hex');
    await bench.restart(undefined, async () => {
      await bench.publish(Array.from({ length: 4000 }, () => ({ user: user({}), version: 1n })));
      for (let index = 0; index < 300; index += 1)
        await bench.publish([{ user: large(index), version: 1000n + BigInt(index) }]);
    });
    await bench.stands(large(299));
  });

  test('a late record changes nothing, deleted and inserted again stands, a deleted user is gone', async () => {
    const [late, again, gone] = [user({ email: 'new' }), user({ email: 'again' }), user({})];
    await bench.publish([
      { user: late, version: 20n },
      { user: { ...late, email: 'old' }, version: 10n },
      { user: { ...again, email: 'first' }, version: 30n },
      { id: again.id, version: 31n },
      { user: again, version: 32n },
      { user: gone, version: 40n },
    ]);
    await bench.stands(gone);
    await bench.publish([{ id: gone.id, version: 41n }]);
    await bench.isGone(gone.id);
    await bench.stands(late);
    await bench.stands(again);
  });

  test('a user that the filter no longer passes is deleted, and comes back', async () => {
    const moving = user({ nationality: 'FR', email: 'here' });
    await bench.publish([{ user: moving, version: 50n }]);
    await bench.stands(moving);
    await bench.publish([{ user: { ...moving, nationality: 'XX' }, version: 51n }]);
    await bench.isGone(moving.id);
    await bench.publish([{ user: { ...moving, email: null }, version: 52n }]);
    await bench.stands({ ...moving, email: null });
  });

  test('what can’t be read becomes a dead letter that says why and where it lay', async () => {
    const id = randomUUID();
    const body = encode(bench.schemaId, user({ id }));
    const unreadable = [
      { key: id, value: Buffer.from('{}'), headers: { version: '1' } },
      {
        key: id,
        value: Buffer.concat([Buffer.from([0, 0, 1, 0, 0]), body.subarray(5)]),
        headers: { version: '1' },
      },
      { key: id, value: body, headers: {} },
      { key: 'nobody', value: body, headers: { version: '1' } },
    ];
    await bench.send(unreadable);
    const letters = await bench.letters(unreadable.length);
    assert.deepEqual(letters.map(({ headers }) => headers['reason']).sort(), [
      'it has no header `version` with a whole number',
      "it is not in the registry's wire format",
      "its key is not a user's id",
      'the registry has no Avro schema with its id',
    ]);
    const [first] = letters.filter(({ value }) => String(value) === '{}');
    assert.equal(first?.headers['topic'], bench.topic);
    assert.equal(first?.headers['schema-id'], '');
    const [partition, offset] = [Number(first?.headers['partition']), first?.headers['offset'] ?? ''];
    assert.ok(Number((await bench.endOffsets())[partition]) > Number(offset), 'its place in the topic');
    assert.equal(await bench.spark.metric('userstream_spark_dead_letters_total'), unreadable.length);
  });

  test('a user on which the SQL throws an error becomes a dead letter and holds nobody up', async () => {
    const [odd, even] = [
      user({ username: 'odd', post_code: 'K1A' }),
      user({ username: 'odd', post_code: '7' }),
    ];
    await bench.publish([
      { user: odd, version: 60n },
      { user: even, version: 61n },
    ]);
    await bench.stands(even);
    const letter = await letterOf(odd.id);
    assert.equal(letter.headers['reason'], 'spark.sql throws an error on it: column odd');
    assert.equal(letter.value?.length, encode(bench.schemaId, odd).length);
    await bench.publish([{ id: even.id, version: 62n }]);
    await bench.isGone(even.id);
  });

  test('a dead letter that its topic doesn’t take goes without its value', async () => {
    // With its headers it is larger than max.message.bytes, and random bytes can't be compressed.
    const record = { key: randomUUID(), value: randomBytes(1_048_400), headers: { version: '1' } };
    await bench.send([record]);
    const letter = await letterOf(record.key);
    assert.equal(letter.value?.length, 0);
    assert.ok(letter.headers['offset']);
  });

  test('a dead letter of nearly 20 MiB goes with its value where its topic takes it', async () => {
    await bench.takeRecordsOf(20 * 1024 * 1024);
    const record = { key: randomUUID(), value: randomBytes(19 * 1024 * 1024), headers: { version: '1' } };
    await bench.send([record]);
    assert.equal((await letterOf(record.key)).value?.length, record.value.length);
  });

  for (const [what, times, reason] of [
    ['refuses', '8', /^Cassandra refuses it: /],
    ['has no answer to', '30', /larger than the 16 MiB that Cassandra takes$/],
  ] as const) {
    test(`a record that Cassandra ${what} becomes a dead letter and holds nobody up`, async () => {
      const large = user({ username: 'large', post_code: times, first_name: 'x'.repeat(700_000) });
      const next = user({ email: 'next' });
      await bench.publish([
        { user: large, version: 60n },
        { user: next, version: 61n },
      ]);
      await bench.stands(next);
      const letter = await letterOf(large.id);
      assert.match(letter.headers['reason'] ?? '', reason);
      assert.equal(letter.value?.length, encode(bench.schemaId, large).length);
    });
  }

  test('the fields of a newer schema stand in their columns, beside users of the older one', async () => {
    const more = {
      order: 'text',
      latitude: 'double',
      age: 'bigint',
      active: 'boolean',
      seen: 'timestamp',
    } as const;
    const fields = Object.entries(more).map(([name, type]) => ({ name, type, path: name }));
    const schemaId = await bench.provisionFields(fields);
    const values = {
      order: 'ordered',
      latitude: -69.8246,
      age: 9_007_199_254_740_990,
      active: false,
      seen: -1,
    };
    const [newer, older] = [{ ...user({ email: 'newer' }), ...values }, user({ email: 'older' })];
    const headers = { version: '70', 'committed-at': String(Date.now()) };
    await bench.send([{ key: newer.id, value: encode(schemaId, newer, userColumns(more)), headers }]);
    await bench.publish([{ user: older, version: 71n }]);
    await bench.stands(older);
    const found = await bench.values(newer.id, ['"order"', 'latitude', 'age', 'active', 'seen', 'email']);
    assert.deepEqual(found, [
      'ordered',
      -69.8246,
      types.Long.fromNumber(9_007_199_254_740_990),
      false,
      new Date(-1),
      'newer',
    ]);
  });

  test('how long users took is measured', async () => {
    const committedAt = Date.now() - 20_000;
    const slow = user({});
    const before = await bench.slowerThan('15.0');
    await bench.publish([{ user: slow, version: 70n, committedAt }]);
    await bench.stands(slow);
    await until('the histogram to tell of it', async () => (await bench.slowerThan('15.0')) === before + 1);
    const { figures } = await bench.spark.status();
    assert.ok((figures?.['latencyP99Ms'] ?? 0) >= (figures?.['latencyP50Ms'] ?? Number.POSITIVE_INFINITY));
  });

  test('a new epoch removes who is not in its snapshot, once every partition has been applied', async () => {
    const [kept, vanished, since] = [
      user({ email: 'kept' }),
      user({ email: 'vanished' }),
      user({ email: 'since' }),
    ];
    await bench.publish([
      { user: kept, version: 80n },
      { user: vanished, version: 81n },
    ]);
    await bench.stands(vanished);
    const epoch = 1n << 48n;
    const start = await bench.endOffsets();
    await bench.publish([{ user: kept, version: epoch }]);
    const end = await bench.endOffsets();
    await bench.publish([{ user: since, version: epoch + 1n }]);
    await bench.send(bench.epochEnd(epoch, { start, end }));
    await bench.isGone(vanished.id);
    await until(
      'the sweep to be counted',
      async () => (await bench.spark.metric('userstream_spark_swept_total')) > 0,
    );
    await bench.stands(kept);
    await bench.stands(since);
    await bench.publish([{ user: vanished, version: epoch + 2n }]);
    await bench.stands(vanished);
  });

  test('a replay brings back what was lost, and a restart does not repeat it', async () => {
    const lost = user({ email: 'lost' });
    const timeMs = Date.now();
    await bench.publish([{ user: lost, version: (1n << 48n) + 10n }]);
    await bench.stands(lost);
    await bench.truncate();
    await bench.restart({ timeMs });
    await bench.stands(lost);
    await bench.readsToEnd();
    await bench.truncate();
    await bench.restart({ offsets: { 9: 0 } });
    await bench.readsToEnd();
    const { ready, reason, message } = await bench.spark.status();
    assert.deepEqual([ready, reason], [true, 'ReplayRefused']);
    assert.match(message, /replay-from: there is no partition 9; the topic has 0 to 1/);
    await bench.isGone(lost.id);
  });
});

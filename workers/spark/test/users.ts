import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { types } from 'cassandra-driver';
import { userColumns } from '../../lib/columns.ts';
import { type AvroUser, encode } from '../../test/avro.ts';
import { type SinkBench, user } from '../../test/sink.ts';
import { until } from '../../test/wait.ts';

const BEFORE_1900 = Date.UTC(1843, 2, 31, 16, 53, 25, 7);
const PLANES = Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x41)).join(
  '',
);

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

/** Users come to stand in Cassandra as they were left. The SQL of `bench` leaves out who is of nationality XX. */
export function usersStand(bench: () => SinkBench): void {
  test('every user stands in Cassandra to the field', async () => {
    const users = Object.values(EDGES).map((fields) => user(fields));
    await bench().publish(users.map((each, index) => ({ user: each, version: 100n + BigInt(index) })));
    for (const each of users) await bench().table.stands(each);
  });

  test('a user that was updated a thousand times in one transaction stands as it was left', async () => {
    const { id } = user({});
    const versions = Array.from({ length: 1000 }, (_, index) => ({
      user: user({ id, first_name: `name ${index}`, email: index % 2 ? null : 'even' }),
      version: 1000n + BigInt(index),
    }));
    await bench().publish(versions);
    await bench().table.stands(user({ id, first_name: 'name 999', email: null }));
  });

  test('a large user that was updated hundreds of times stands as it was left, behind many small ones in one batch', async () => {
    const { id } = user({});
    const large = (index: number) => user({ id, address, first_name: `name ${index}` });
    const address = randomBytes(350_000).toString('hex');
    await bench().restart(undefined, async () => {
      await bench().publish(Array.from({ length: 4000 }, () => ({ user: user({}), version: 1n })));
      for (let index = 0; index < 300; index += 1)
        await bench().publish([{ user: large(index), version: 1000n + BigInt(index) }]);
    });
    await bench().table.stands(large(299));
  });

  test('a late record changes nothing, deleted and inserted again stands, a deleted user is gone', async () => {
    const [late, again, gone] = [user({ email: 'new' }), user({ email: 'again' }), user({})];
    await bench().publish([
      { user: late, version: 20n },
      { user: { ...late, email: 'old' }, version: 10n },
      { user: { ...again, email: 'first' }, version: 30n },
      { id: again.id, version: 31n },
      { user: again, version: 32n },
      { user: gone, version: 40n },
    ]);
    await bench().table.stands(gone);
    await bench().publish([{ id: gone.id, version: 41n }]);
    await bench().table.isGone(gone.id);
    await bench().table.stands(late);
    await bench().table.stands(again);
  });

  test('a user that the filter no longer passes is deleted, and comes back', async () => {
    const moving = user({ nationality: 'FR', email: 'here' });
    await bench().publish([{ user: moving, version: 50n }]);
    await bench().table.stands(moving);
    await bench().publish([{ user: { ...moving, nationality: 'XX' }, version: 51n }]);
    await bench().table.isGone(moving.id);
    await bench().publish([{ user: { ...moving, email: null }, version: 52n }]);
    await bench().table.stands({ ...moving, email: null });
  });

  test('the fields of a newer schema stand in their columns, beside users of the older one', async () => {
    const more = {
      order: 'text',
      latitude: 'double',
      age: 'bigint',
      active: 'boolean',
      seen: 'timestamp',
    } as const;
    const fields = Object.entries(more).map(([name, type]) => ({ name, type, path: name }));
    const schemaId = await bench().provisionFields(fields);
    const values = {
      order: 'ordered',
      latitude: -69.8246,
      age: 9_007_199_254_740_990,
      active: false,
      seen: -1,
    };
    const [newer, older] = [{ ...user({ email: 'newer' }), ...values }, user({ email: 'older' })];
    const headers = { version: '70', 'committed-at': String(Date.now()) };
    await bench().send([{ key: newer.id, value: encode(schemaId, newer, userColumns(more)), headers }]);
    await bench().publish([{ user: older, version: 71n }]);
    await bench().table.stands(older);
    const found = await bench().table.values(newer.id, [
      '"order"',
      'latitude',
      'age',
      'active',
      'seen',
      'email',
    ]);
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
    const before = await slowerThan(bench(), '15.0');
    await bench().publish([{ user: slow, version: 70n, committedAt }]);
    await bench().table.stands(slow);
    await until(
      'the histogram to tell of it',
      async () => (await slowerThan(bench(), '15.0')) === before + 1,
    );
    const { figures } = await bench().spark.status();
    assert.ok((figures?.['latencyP99Ms'] ?? 0) >= (figures?.['latencyP50Ms'] ?? Number.POSITIVE_INFINITY));
  });
}

/** How many users took longer than the bucket of the latency histogram that `bound` names. */
async function slowerThan({ spark }: SinkBench, bound: string): Promise<number> {
  const name = 'userstream_spark_latency_seconds';
  const [all, within] = await Promise.all([
    spark.metric(`${name}_count`),
    spark.metric(`${name}_bucket{le="${bound}"}`),
  ]);
  return all - within;
}

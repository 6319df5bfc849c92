import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { encode } from '../../test/avro.ts';
import { type SinkBench, user } from '../../test/sink.ts';
import { until } from '../../test/wait.ts';

/**
 * What can't be written is put aside and holds nobody up. The SQL of `bench` makes too much of who is `large`, and throws
 * an error on who is `odd`.
 */
export function deadLetters(bench: () => SinkBench): void {
  /** The dead letter of a record, once it has come. */
  const letterOf = (id: string) =>
    until('the dead letter', async () => (await bench().letters(1)).find(({ key }) => key === id));

  test('what can’t be read becomes a dead letter that says why and where it lay', async () => {
    const id = randomUUID();
    const body = encode(bench().schemaId, user({ id }));
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
    await bench().send(unreadable);
    const letters = await bench().letters(unreadable.length);
    assert.deepEqual(letters.map(({ headers }) => headers['reason']).sort(), [
      'it has no header `version` with a whole number',
      "it is not in the registry's wire format",
      "its key is not a user's id",
      'the registry has no Avro schema with its id',
    ]);
    const [first] = letters.filter(({ value }) => String(value) === '{}');
    assert.equal(first?.headers['topic'], bench().topic);
    assert.equal(first?.headers['schema-id'], '');
    const [partition, offset] = [Number(first?.headers['partition']), first?.headers['offset'] ?? ''];
    assert.ok(Number((await bench().endOffsets())[partition]) > Number(offset), 'its place in the topic');
    assert.equal(await bench().spark.metric('userstream_spark_dead_letters_total'), unreadable.length);
  });

  test('a user on which the SQL throws an error becomes a dead letter and holds nobody up', async () => {
    const [odd, even] = [
      user({ username: 'odd', post_code: 'K1A' }),
      user({ username: 'odd', post_code: '7' }),
    ];
    await bench().publish([
      { user: odd, version: 60n },
      { user: even, version: 61n },
    ]);
    await bench().table.stands(even);
    const letter = await letterOf(odd.id);
    assert.equal(letter.headers['reason'], 'spark.sql throws an error on it: column odd');
    assert.equal(letter.value?.length, encode(bench().schemaId, odd).length);
    await bench().publish([{ id: even.id, version: 62n }]);
    await bench().table.isGone(even.id);
  });

  test('a dead letter that its topic doesn’t take goes without its value', async () => {
    // With its headers it is larger than max.message.bytes, and random bytes can't be compressed.
    const record = { key: randomUUID(), value: randomBytes(1_048_400), headers: { version: '1' } };
    await bench().send([record]);
    const letter = await letterOf(record.key);
    assert.equal(letter.value?.length, 0);
    assert.ok(letter.headers['offset']);
  });

  test('a dead letter of nearly 20 MiB goes with its value where its topic takes it', async () => {
    await bench().takeRecordsOf(20 * 1024 * 1024);
    const record = { key: randomUUID(), value: randomBytes(19 * 1024 * 1024), headers: { version: '1' } };
    await bench().send([record]);
    assert.equal((await letterOf(record.key)).value?.length, record.value.length);
  });

  for (const [what, times, reason] of [
    ['refuses', '8', /^Cassandra refuses it: /],
    ['has no answer to', '30', /larger than the 16 MiB that Cassandra takes$/],
  ] as const) {
    test(`a record that Cassandra ${what} becomes a dead letter and holds nobody up`, async () => {
      const large = user({ username: 'large', post_code: times, first_name: 'x'.repeat(700_000) });
      const next = user({ email: 'next' });
      await bench().publish([
        { user: large, version: 60n },
        { user: next, version: 61n },
      ]);
      await bench().table.stands(next);
      const letter = await letterOf(large.id);
      assert.match(letter.headers['reason'] ?? '', reason);
      assert.equal(letter.value?.length, encode(bench().schemaId, large).length);
    });
  }
}

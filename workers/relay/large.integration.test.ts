import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { topicConfig } from '../../operator/src/specs/kafka-connection.ts';
import { fullPipeline } from '../../operator/src/specs/testing.ts';
import { RelayBench } from '../test/relay.ts';

const CHARACTERS = 1_000_000;
/** Those that are no characters by themselves, and follow on each other. */
const SURROGATES = { first: 0xd800, count: 0x800 };

/** Text that no compression makes smaller, of characters of all planes but the one that Postgres can't hold, zero. */
function randomText(): string {
  const points = Array.from({ length: CHARACTERS }, () => {
    const point = 1 + Math.floor(Math.random() * (0x10ffff - SURROGATES.count));
    return point < SURROGATES.first ? point : point + SURROGATES.count;
  });
  return points.map((point) => String.fromCodePoint(point)).join('');
}

describe('a user with fields of a million characters', () => {
  let bench: RelayBench = undefined as never;
  before(async () => {
    const { 'max.message.bytes': limit = '' } = topicConfig(fullPipeline());
    bench = await RelayBench.start({ compression: 'none', topicConfig: { 'max.message.bytes': limit } });
    await bench.startRelay();
  });
  after(() => bench?.stop());

  test('arrives in Kafka as it is, and not among the dead letters', async () => {
    const texts = [randomText(), randomText(), randomText()];
    await bench.db.query('INSERT INTO users (id, first_name, address, picture) VALUES ($1, $2, $3, $4)', [
      randomUUID(),
      ...texts,
    ]);
    await bench.insert(10, 'Behind');
    await bench.equal('with the large user');
    assert.deepEqual(bench.deadLetters.records, []);
  });
});

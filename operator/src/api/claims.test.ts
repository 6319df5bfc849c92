import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipelineOf } from '../specs/testing.ts';
import { claimsOf, claimsOfStored, clash } from './claims.ts';

type Spec = Record<string, unknown>;

const kafka = (bootstrapServers: string, name?: string) => ({
  kafka: { external: { bootstrapServers }, topic: name ? { name } : {} },
});
const ring = (host: string, table = 'users') => ({
  ...kafka(`${host}:9092`),
  cassandra: { table, external: { contactPoints: [host, 'another'], localDatacenter: 'west' } },
});

const cases: { name: string; one: Spec; other: Spec; what: string | undefined }[] = [
  { name: 'a topic', one: kafka('k:9092', 'a'), other: kafka('k:9092', 'a'), what: 'topic a' },
  {
    name: 'a topic by another of its brokers',
    one: kafka('a:1,b:1', 'a'),
    other: kafka('c:1, b:1', 'a'),
    what: 'topic a',
  },
  { name: 'a topic elsewhere', one: kafka('k:9092', 'a'), other: kafka('l:9092', 'a'), what: undefined },
  { name: 'another topic', one: kafka('k:9092', 'a'), other: kafka('k:9092', 'b'), what: undefined },
  { name: 'a table', one: ring('x', 'people'), other: ring('y', 'people'), what: 'table userstream.people' },
  { name: 'another table', one: ring('x'), other: ring('y', 'people'), what: undefined },
  {
    name: 'a topic of a Kafka of its own',
    one: kafka('k:9092', 'a'),
    other: { kafka: { strimzi: {}, topic: { name: 'a' } } },
    what: undefined,
  },
];

describe('what two pipelines claim', () => {
  for (const { name, one, other, what } of cases)
    test(`${name}: ${what ? 'the same' : 'not the same'}`, () => {
      const [mine, theirs] = [one, other].map((spec) => claimsOf(pipelineOf(spec)));
      // The two have one name here, so that a topic that isn't named is the same, too.
      assert.equal(clash(mine ?? [], theirs ?? [])?.what, what);
    });
});

describe('what a pipeline claims as the API server holds it', () => {
  const metadata = { namespace: 'team', name: 'users', uid: '1' };
  const stored = { ...kafka('k:9092', 'a'), source: 'of a schema to come' };
  test('is read whatever the rest of it is', () =>
    assert.deepEqual(
      claimsOfStored({ metadata, spec: stored }).map(({ what }) => what),
      ['topic a'],
    ));
  test('is nothing where all systems are its own', () =>
    assert.deepEqual(claimsOfStored({ metadata, spec: { kafka: { strimzi: {} } } }), []));
  test('is nothing where it can no longer be read', () =>
    assert.deepEqual(claimsOfStored({ metadata, spec: { kafka: { external: 'k:9092' } } }), []));
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimsOf, claimsOfStored, idsOf } from './claims.ts';
import { pipelineOf } from './testing.ts';

type Spec = Record<string, unknown>;

const kafka = (bootstrapServers: string, name?: string) => ({
  kafka: { external: { bootstrapServers }, topic: name ? { name } : {} },
});
const strimzi = (name: string) => ({ kafka: { strimzi: {}, topic: { name } } });
const registry = (url: string) => ({ schemaRegistry: { external: { url } } });
const ring = (host: string, table = 'users') => ({
  ...kafka(`${host}:9092`),
  cassandra: { table, external: { contactPoints: [host, 'another.x'], localDatacenter: 'west' } },
});

/** The first two names that two pipelines, of the namespaces `team` and `other`, have in common. */
const cases: { name: string; one: Spec; other: Spec; what: string[] }[] = [
  {
    name: 'a topic',
    one: kafka('k.x:1', 'a'),
    other: kafka('k.x:1', 'a'),
    what: ['topic a', 'topic a.dead-letter'],
  },
  {
    name: 'a topic that is the default of the other',
    one: kafka('k.x:1', 'other.people.users'),
    other: kafka('k.x:1'),
    what: ['topic other.people.users', 'topic other.people.users.dead-letter'],
  },
  {
    name: 'a topic by another of its brokers',
    one: kafka('a.x:1,b.x:1', 'a'),
    other: kafka('c.x:1, B.x:1', 'a'),
    what: ['topic a', 'topic a.dead-letter'],
  },
  { name: 'a topic elsewhere', one: kafka('k.x:1', 'a'), other: kafka('l.x:1', 'a'), what: [] },
  { name: 'another topic', one: kafka('k.x:1', 'a'), other: kafka('k.x:1', 'b'), what: [] },
  {
    name: "a topic that is the other's for dead letters",
    one: kafka('k.x:1', 'a'),
    other: kafka('k.x:1', 'a.dead-letter'),
    what: ['topic a.dead-letter'],
  },
  {
    name: "a topic that is that of the other's managed registry",
    one: kafka('k.x:1', 'a'),
    other: kafka('k.x:1', 'a.registry-events'),
    what: ['topic a.registry-events'],
  },
  {
    name: 'a topic of a Kafka of its own that the other names',
    one: strimzi('a'),
    other: kafka('people-kafka-bootstrap.team.svc.cluster.local:9092', 'a'),
    what: ['topic a', 'topic a.dead-letter'],
  },
  {
    name: 'a topic at a Service that each has in its own namespace',
    one: kafka('kafka:9092', 'a'),
    other: kafka('kafka:9092', 'a'),
    what: [],
  },
  {
    name: 'a topic at a Service that one of them names in short',
    one: kafka('kafka:9092', 'a'),
    other: kafka('kafka.team.svc:9092', 'a'),
    what: ['topic a', 'topic a.dead-letter'],
  },
  {
    name: 'a subject at a Service that one of them names in short',
    one: { ...kafka('k.x:1', 'a'), ...registry('http://registry:8081') },
    other: { ...kafka('l.x:1', 'a'), ...registry('http://registry.team.svc.cluster.local:8081') },
    what: ['subject a-value'],
  },
  {
    name: 'a topic at an address',
    one: kafka('10.0.0.1:9092', 'a'),
    other: kafka('10.0.0.1:9092', 'a'),
    what: ['topic a', 'topic a.dead-letter'],
  },
  { name: 'a topic of a Kafka of its own', one: strimzi('a'), other: strimzi('a'), what: [] },
  {
    name: 'a subject of topics on two Kafkas',
    one: { ...kafka('k.x:1', 'a'), ...registry('http://registry.x:8081') },
    other: { ...strimzi('a'), ...registry('http://Registry.x:8081/') },
    what: ['subject a-value'],
  },
  {
    name: 'a subject elsewhere',
    one: { ...kafka('k.x:1', 'a'), ...registry('http://one.x:8081') },
    other: { ...kafka('l.x:1', 'a'), ...registry('http://two.x:8081') },
    what: [],
  },
  {
    name: 'a table',
    one: ring('x', 'people'),
    other: ring('y', 'people'),
    what: ['table userstream.people'],
  },
  { name: 'another table', one: ring('x'), other: ring('y', 'people'), what: [] },
];

describe('what two pipelines claim', () => {
  for (const { name, one, other, what } of cases)
    test(`${name}: ${what.length > 0 ? 'the same' : 'not the same'}`, () => {
      const theirs = claimsOf({ ...pipelineOf(other), namespace: 'other' }).flatMap(idsOf);
      const both = claimsOf(pipelineOf(one)).filter((claim) =>
        idsOf(claim).some((id) => theirs.includes(id)),
      );
      assert.deepEqual(both.map((claim) => claim.what).slice(0, 2), what);
    });
});

describe('what a pipeline claims as the API server holds it', () => {
  const metadata = { namespace: 'team', name: 'users', uid: '1' };
  const { schemaRegistry, cassandra, ...spec } = pipelineOf(kafka('k:9092', 'a')).spec;
  test('is read whatever the rest of it is', () => {
    const stored = { ...spec, schemaRegistry, cassandra, source: 'of a schema to come' };
    assert.deepEqual(claimsOfStored({ metadata, spec: stored })[0]?.what, 'topic a');
  });
  test('is nothing where it can no longer be read', () =>
    assert.deepEqual(claimsOfStored({ metadata, spec: { kafka: { external: 'k:9092' } } }), []));
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { serveStrimzi } from '../../test/strimzi.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { componentSelector } from '../specs/meta.ts';
import { KAFKA, KAFKA_NODE_POOL, KAFKA_TOPIC } from './owned.ts';

/** What Strimzi's topic operator, whose part the test plays, holds its topics by. */
const HELD = ['strimzi.io/topic-operator'];

describe('a Kafka by Strimzi and the topics of a deleted pipeline, on a real API server', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
    await serveStrimzi(server);
  });
  after(() => server?.stop());

  async function topicsOf(name: string): Promise<KubeObject[]> {
    const selection = { namespace: NAMESPACE, labelSelector: componentSelector(name) };
    return (await server.adminClient.list(KAFKA_TOPIC, selection)).items;
  }

  const hold = async (topics: KubeObject[], finalizers: string[] | null) => {
    for (const topic of topics)
      await server.adminClient.mergePatch(refOf(topic), { metadata: { finalizers } });
  };

  /** A deleted pipeline whose topics Strimzi has taken on. */
  async function withTopics(name: string, deletionPolicy: string): Promise<Scene> {
    const scene = new Scene(server.adminClient, name);
    await scene.apply({ kafka: { strimzi: {} }, deletionPolicy });
    await scene.reconcile();
    await hold(await topicsOf(name), HELD);
    await scene.delete();
    await scene.reconcile();
    return scene;
  }

  for (const [deletionPolicy, managed] of [
    ['Retain', 'false'],
    ['Delete', undefined],
  ] as const)
    test(`topics go before the Kafka that lets them go (${deletionPolicy})`, async () => {
      const name = `topics-${deletionPolicy.toLowerCase()}`;
      const scene = await withTopics(name, deletionPolicy);
      const topics = await topicsOf(name);
      assert.equal(topics.length, 5);
      for (const { metadata } of topics) {
        assert.ok(metadata.deletionTimestamp);
        assert.equal(metadata.annotations?.['strimzi.io/managed'], managed);
      }
      await scene.reconcile();
      const { conditions = [] } = await scene.status();
      assert.match(conditions.find(({ type }) => type === 'Ready')?.message ?? '', /KafkaTopics topics-/);
      await hold(topics, null);
      await scene.reconcile({ record: () => assert.fail('nothing is left over') });
      assert.equal(await scene.version(), undefined);
    });

  test('topics that Strimzi does not let go within five minutes are let go, and told of', async () => {
    const scene = await withTopics('forgotten', 'Retain');
    const events: string[] = [];
    await scene.reconcile({
      now: () => new Date(Date.now() + 6 * 60_000),
      record: (_, { reason, message }) => void events.push(`${reason}: ${message}`),
    });
    assert.equal(await scene.version(), undefined);
    assert.deepEqual(await topicsOf('forgotten'), []);
    assert.match(events.join(), /LeftOver: .*KafkaTopics forgotten-.* within five minutes/);
  });

  test('of a standing one, what Strimzi refuses of a pool and a topic is told', async () => {
    const scene = new Scene(server.adminClient, 'refused');
    await scene.apply({ kafka: { strimzi: {} } });
    await scene.reconcile();
    const say = (kind: Kind, name: string, condition: Record<string, string>) =>
      server.adminClient.mergePatch(
        { ...kind, namespace: NAMESPACE, name },
        { status: { observedGeneration: 1, conditions: [condition] } },
        { subresource: 'status' },
      );
    const told = async () => {
      await scene.reconcile();
      const { conditions = [] } = await scene.status();
      const kafka = conditions.find(({ type }) => type === 'KafkaReady');
      return `${kafka?.status} ${kafka?.reason} ${kafka?.message}`;
    };
    const ready = { type: 'Ready', status: 'True' };
    await say(KAFKA, 'refused', ready);
    assert.match(await told(), /^True Ready/);
    const unable = { type: 'Ready', status: 'False', reason: 'NotSupported', message: 'fewer partitions' };
    await say(KAFKA_TOPIC, 'refused-users', unable);
    assert.match(await told(), /^False TopicChangeRefused .*KafkaTopic refused-users: fewer partitions/);
    const ignored = { type: 'Warning', status: 'True', reason: 'KafkaStorage', message: 'ignored' };
    await say(KAFKA_NODE_POOL, 'refused-brokers', ignored);
    assert.match(await told(), /^False KafkaStorage Strimzi warns: ignored/);
  });

  test('topics whose Kafka is gone already wait for nobody', async () => {
    const scene = await withTopics('bereft', 'Delete');
    await server.adminClient.delete({ ...KAFKA, namespace: NAMESPACE, name: 'bereft' });
    for (const _ of ['topics', 'all']) await scene.reconcile();
    assert.deepEqual(await topicsOf('bereft'), []);
    assert.equal(await scene.version(), undefined);
  });
});

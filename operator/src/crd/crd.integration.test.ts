import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { pipelineObject, SPEC, serve } from '../../test/pipelines.ts';

type Refusal = { name: string; metadata?: string; spec: Record<string, unknown>; says: RegExp };

const refusals: Refusal[] = [
  {
    name: 'both strimzi and external',
    spec: { kafka: { strimzi: {}, external: SPEC.kafka.external } },
    says: /spec\.kafka.*set exactly one of strimzi and external/s,
  },
  {
    name: 'neither of them',
    spec: { kafka: {} },
    says: /spec\.kafka.*set exactly one of strimzi and external/s,
  },
  {
    name: 'a batch past 5000',
    spec: { source: { ...SPEC.source, batchSize: 5001 } },
    says: /spec\.source\.batchSize.*less than or equal to 5000/s,
  },
  { name: 'an empty SQL', spec: { spark: { sql: '' } }, says: /spec\.spark\.sql/ },
  {
    name: 'more copies than nodes',
    spec: { cassandra: { replicationFactor: 3, managed: { replicas: 1 } } },
    says: /replicationFactor must not exceed managed\.replicas/,
  },
  {
    name: 'too little memory for Spark',
    spec: { spark: { driver: { resources: { limits: { memory: '512Mi' } } } } },
    says: /spec\.spark\.driver.*at least 768Mi/s,
  },
  {
    name: 'a setting that is the operator’s own',
    spec: { cassandra: { managed: { config: { cluster_name: 'mine' } } } },
    says: /config must not set what the operator sets/,
  },
  { name: 'a name that leaves no room', metadata: 'n'.repeat(41), spec: {}, says: /at most 40 characters/ },
  { name: 'a name that names no Service', metadata: '1st', spec: {}, says: /must begin with a letter/ },
  { name: 'a field that does not exist', spec: { sparks: {} }, says: /sparks/ },
];

describe('the API server refuses', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  for (const { name, metadata = 'refused', spec, says } of refusals) {
    test(name, async () => {
      await assert.rejects(
        server.adminClient.apply(pipelineObject(metadata, spec), { fieldManager: 'test' }),
        says,
      );
    });
  }

  test('nothing of the least spec, and fills in every default', async () => {
    const least = pipelineObject('least', { kafka: { strimzi: {} } });
    const { spec } = (await server.adminClient.apply(least, { fieldManager: 'test' })) as unknown as {
      spec: {
        cassandra: { managed: { replicas: number } };
        kafka: { strimzi: { brokers: { storage: { size: string } } } };
      };
    };
    assert.equal(spec.cassandra.managed.replicas, 3);
    assert.equal(spec.kafka.strimzi.brokers.storage.size, '20Gi');
  });
});

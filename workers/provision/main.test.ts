import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runToEnd, startWorker } from '../test/process.ts';
import { until } from '../test/wait.ts';

// Nothing listens there: what is tried stays undone.
const NOWHERE = { host: '127.0.0.1', port: 1 };
const config = {
  pipeline: { namespace: 'test', name: 'provision' },
  postgres: { ...NOWHERE, database: 'users', tls: false, publication: 'users', slot: 'users' },
  kafka: {
    bootstrapServers: ['127.0.0.1:1'],
    tls: false,
    saslMechanism: 'plain',
    compression: 'none',
    topic: 'users',
    deadLetterTopic: 'dead',
  },
  schemaRegistry: { url: 'http://127.0.0.1:1', subject: 'users-value' },
  cassandra: {
    contactPoints: ['127.0.0.1'],
    port: 1,
    localDatacenter: 'dc1',
    keyspace: 'users',
    table: 'users',
    replicationFactor: 1,
    tls: false,
  },
};
const NOTHING = { topics: false, subject: false, slot: false, tables: false, keyspace: false };
const teardown = (wanted: Partial<typeof NOTHING>) => ({
  config: { ...config, teardown: { ...NOTHING, ...wanted } },
  args: ['teardown'],
});

describe('the provision process', () => {
  test('has failed when it is told to stop before it is done', async () => {
    const worker = await startWorker('provision', { config });
    await until('a try at Postgres', () => worker.output().includes('PostgresUnreachable'));
    assert.equal(await worker.end('SIGTERM'), 1);
  });

  test('needs the credentials of those systems alone that it undoes something in', async () => {
    assert.equal((await runToEnd('provision', teardown({}))).code, 0);
    const { code, output } = await runToEnd('provision', teardown({ topics: true }));
    assert.equal(code, 1);
    assert.match(output, /set KAFKA_USERNAME and KAFKA_PASSWORD/);
  });
});

import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cassandraClient, isAuthenticationError } from '../lib/cassandra.ts';
import type { Sections } from '../lib/config.ts';
import { jarsOf } from './jars.ts';
import { Jvm, withHome } from './jvm.ts';
import { freePort } from './wait.ts';

export type TestCassandra = {
  section: Sections['cassandra'];
  stop(): Promise<void>;
};

/** A throwaway one-node Cassandra on free loopback ports, with passwords: only cassandra/cassandra is known. */
export async function startCassandra(): Promise<TestCassandra> {
  const jars = await jarsOf('cassandra', 'copy-dependencies');
  return withHome('cassandra', async (home, discard) => {
    const section = {
      contactPoints: ['127.0.0.1'],
      port: await freePort(),
      localDatacenter: 'dc1',
      keyspace: 'userstream',
      table: 'users',
      replicationFactor: 1,
      tls: false,
    };
    await writeFiles(home, section.port, await freePort());
    const server = new Jvm({
      name: 'Cassandra',
      args: [...options(home, jars, await freePort()), 'org.apache.cassandra.service.CassandraDaemon'],
      ready: () => answers(section),
    });
    const stop = async () => {
      await server.halt();
      await discard();
    };
    await server.start().catch(async (error) => {
      await stop();
      throw error;
    });
    return { section, stop };
  });
}

function options(home: string, jars: string, jmxPort: number): string[] {
  const opens = OPENS.map((name) => `--add-opens=${name}=ALL-UNNAMED`);
  const exports = EXPORTS.map((name) => `--add-exports=${name}=ALL-UNNAMED`);
  const properties = {
    'jdk.attach.allowAttachSelf': true,
    'java.io.tmpdir': home,
    'jna.tmpdir': home,
    'jna.nosys': true,
    'cassandra.storagedir': home,
    'cassandra.config': `file://${home}/cassandra.yaml`,
    'cassandra.jmx.local.port': jmxPort,
    'cassandra-foreground': 'yes',
    // One node joins nobody: what makes joining safe would only be waited for.
    'cassandra.superuser_setup_delay_ms': 0,
    'cassandra.ring_delay_ms': 100,
    'cassandra.skip_wait_for_gossip_to_settle': 0,
    'logback.configurationFile': 'logback.xml',
  };
  const settings = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
  const memory = ['-Xms512m', '-Xmx512m', '-Xss512k', '-XX:+UseSerialGC'];
  const agent = globSync(join(jars, 'jamm-*.jar')).map((jar) => `-javaagent:${jar}`);
  return [...memory, ...exports, ...opens, ...settings, ...agent, '-cp', `${home}:${jars}/*`];
}

async function writeFiles(home: string, port: number, storagePort: number) {
  const directories = ['commitlog', 'saved_caches', 'hints', 'cdc_raw'];
  const settings = {
    cluster_name: 'test',
    num_tokens: 1,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'GossipingPropertyFileSnitch',
    authenticator: 'PasswordAuthenticator',
    authorizer: 'CassandraAuthorizer',
    role_manager: 'CassandraRoleManager',
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: `127.0.0.1:${storagePort}` }],
      },
    ],
    listen_address: '127.0.0.1',
    storage_port: storagePort,
    rpc_address: '127.0.0.1',
    native_transport_port: port,
    data_file_directories: [join(home, 'data')],
    ...Object.fromEntries(directories.map((name) => [`${name}_directory`, join(home, name)])),
    // Little enough for a test to exceed.
    max_mutation_size: '4MiB',
    commitlog_sync: 'periodic',
    commitlog_sync_period: '10s',
  };
  // JSON is YAML.
  await writeFile(join(home, 'cassandra.yaml'), JSON.stringify(settings));
  await writeFile(join(home, 'cassandra-rackdc.properties'), 'dc=dc1\nrack=rack1\n');
  await writeFile(
    join(home, 'logback.xml'),
    '<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%-5level %logger{0} %msg%n</pattern></encoder></appender><root level="WARN"><appender-ref ref="out"/></root></configuration>',
  );
}

/** Ready when somebody may log in: with the default role, or, once that is locked, when it is refused. */
async function answers(section: Sections['cassandra']): Promise<boolean> {
  const client = cassandraClient(section, { username: 'cassandra', password: 'cassandra' });
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (isAuthenticationError(error)) return false;
    throw error;
  } finally {
    await client.shutdown();
  }
}

const EXPORTS = [
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.ref',
  'java.base/sun.nio.ch',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
];

const OPENS = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.module',
  'java.base/java.lang.reflect',
  'java.base/java.math',
  'java.base/java.net',
  'java.base/java.nio',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.util.jar',
  'java.base/sun.nio.ch',
  'jdk.management/com.sun.management.internal',
];

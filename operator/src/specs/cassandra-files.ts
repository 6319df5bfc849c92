import { NUM_TOKENS, RESERVED_SETTINGS } from '../api/cassandra.ts';
import type { Pipeline } from '../api/resource.ts';
import { OPERATIONS } from './cassandra-scripts.ts';
import { cassandraHost } from './config.ts';
import { memoryMib } from './quantities.ts';

type Managed = NonNullable<Pipeline['spec']['cassandra']['managed']>;

const DATA = '/var/lib/cassandra';

/** A setting given as text, as YAML: numbers, booleans, lists and maps as they are in JSON, everything else a string. */
function yamlValue(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    // A number keeps its digits: tokens are larger than a JavaScript number is exact.
    return typeof parsed === 'number' ? value.trim() : JSON.stringify(parsed);
  } catch {
    return JSON.stringify(value);
  }
}

/** cassandra.yaml, each value on one line as JSON; the start script puts in the seeds and the pod's address. */
export function cassandraYaml(pipeline: Pipeline, { config }: Managed): string {
  const own: Record<string, unknown> = {
    num_tokens: Number(NUM_TOKENS),
    authenticator: 'PasswordAuthenticator',
    authorizer: 'CassandraAuthorizer',
    role_manager: 'CassandraRoleManager',
    commitlog_sync: 'periodic',
    commitlog_sync_period: '10s',
  };
  const fixed: Record<string, unknown> = {
    cluster_name: `${pipeline.namespace}.${pipeline.name}`,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'GossipingPropertyFileSnitch',
    seed_provider: [
      { class_name: 'org.apache.cassandra.locator.SimpleSeedProvider', parameters: [{ seeds: '@SEEDS@' }] },
    ],
    listen_address: '@POD_IP@',
    rpc_address: '0.0.0.0',
    broadcast_rpc_address: '@POD_IP@',
    native_transport_port: 9042,
    storage_port: 7000,
    data_file_directories: [`${DATA}/data`],
    commitlog_directory: `${DATA}/commitlog`,
    saved_caches_directory: `${DATA}/saved_caches`,
    hints_directory: `${DATA}/hints`,
    cdc_raw_directory: `${DATA}/cdc_raw`,
  };
  const given = Object.entries(config).filter(([name]) => !RESERVED_SETTINGS.includes(name));
  const lines = {
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, JSON.stringify(value)])),
    ...Object.fromEntries(given.map(([name, value]) => [name, yamlValue(value)])),
    ...Object.fromEntries(Object.entries(fixed).map(([name, value]) => [name, JSON.stringify(value)])),
  };
  return Object.entries(lines)
    .map(([name, value]) => `${JSON.stringify(name)}: ${value}\n`)
    .join('');
}

const OPEN_MODULES = [
  'java.io java.lang java.lang.module java.lang.reflect java.math java.net java.nio java.util',
  'java.util.concurrent java.util.concurrent.atomic jdk.internal.loader jdk.internal.math jdk.internal.module',
  'jdk.internal.ref jdk.internal.reflect jdk.internal.util.jar sun.nio.ch',
]
  .join(' ')
  .split(' ')
  .map((name) => `java.base/${name}`);

const EXPORTED_MODULES = [
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.ref',
  'java.base/sun.nio.ch',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
];

/** What Cassandra and its nodetool reach inside the JVM, as `java @file` reads it. */
export const MODULES = [
  ...EXPORTED_MODULES.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
  ...OPEN_MODULES.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
  '--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED',
  '',
].join('\n');

/** The options of the server's JVM, as `java @file` reads them: half of the memory is heap, a quarter direct buffers. */
export function jvmOptions({ resources }: Managed): string {
  const memory = memoryMib(resources, 2048);
  // Past 31 GiB a heap's pointers double in size.
  const heap = Math.min(Math.max(256, Math.floor(memory / 2)), 31 * 1024);
  return [
    `-Xms${heap}m`,
    `-Xmx${heap}m`,
    `-XX:MaxDirectMemorySize=${Math.max(128, Math.floor(memory / 4))}m`,
    '-Xss512k',
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=300',
    '-XX:+ParallelRefProcEnabled',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.io.tmpdir=/tmp',
    '-Djna.nosys=true',
    '-Djna.tmpdir=/tmp',
    '-Djdk.attach.allowAttachSelf=true',
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-Dlogback.configurationFile=logback.xml',
    '-Dcassandra-foreground=yes',
    `-Dcassandra.storagedir=${DATA}`,
    // On the loopback only: nodetool works inside the pod, nothing is open to others.
    '-Dcassandra.jmx.local.port=7199',
    // The role that the pipeline's own replaces exists as soon as CQL opens.
    '-Dcassandra.superuser_setup_delay_ms=0',
    '',
  ].join('\n');
}

export const LOGBACK = `<configuration>
  <appender name="stdout" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5level %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="stdout"/></root>
</configuration>
`;

/** On how many nodes a new ring keeps its roles: they must outlive a node as the users do. */
export function roleCopies(pipeline: Pipeline): number {
  return Math.min(3, pipeline.spec.cassandra.replicationFactor);
}

export const RACK = 'dc=dc1\nrack=rack1\n';

/**
 * The start script. A node that is among its own seeds joins without taking over data, so only the node that founds
 * the ring is: the first one, on an empty volume, while there is no second one. The seeds are the same whatever the
 * number of nodes, so that growing the ring restarts none.
 */
export function startScript(pipeline: Pipeline): string {
  return `#!/bin/sh
# Writes this pod's configuration, then becomes Cassandra.
set -eu
conf=/tmp/conf
first=${cassandraHost(pipeline, 0)}
second=${cassandraHost(pipeline, 1)}
founder=${DATA}/founder
ordinal=\${POD_NAME##*-}

alone() { ! getent hosts "$second" >/dev/null; }

if [ "$ordinal" = 0 ] && [ ! -d ${DATA}/data ] && alone; then : >"$founder"; fi
join="-Dcassandra.ring_delay_ms=10000"
if [ -e "$founder" ]; then
  seeds="$POD_IP,$second"
  if alone; then join="-Dcassandra.ring_delay_ms=5000 -Dcassandra.skip_wait_for_gossip_to_settle=0"; fi
elif [ "$ordinal" = 0 ]; then
  seeds="$second"
elif [ "$ordinal" = 1 ]; then
  seeds="$first"
else
  seeds="$first,$second"
fi

# What ran in the container before this one ended with it.
rm -rf ${OPERATIONS}
mkdir -p "$conf"
cp /etc/cassandra/* "$conf/"
sed "s/@SEEDS@/$seeds/; s/@POD_IP@/$POD_IP/" /etc/cassandra/cassandra.yaml >"$conf/cassandra.yaml"
# shellcheck disable=SC2086
exec java "@$conf/jvm.options" "@$conf/modules.options" $join "-Dcassandra.system_auth.default_rf=$(cat "$conf/role-copies")" \\
  -javaagent:"$(ls /opt/cassandra/lib/jamm-*.jar)" \\
  -cp "$conf:/opt/cassandra/lib/*" org.apache.cassandra.service.CassandraDaemon
`;
}

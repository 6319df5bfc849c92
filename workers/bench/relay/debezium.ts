import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jarsOfPom } from '../../test/jars.ts';
import { Jvm, withHome } from '../../test/jvm.ts';
import { freePort } from '../../test/wait.ts';
import { PARTITIONS, provision, type World } from './world.ts';

const SLOT = 'debezium';
const TOPIC = 'bench.public.users';

/** What Kafka's own connect-standalone.sh gives the JVM. */
const JVM = ['-server', '-Xms256M', '-Xmx2G', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];

/** Debezium's connector in a standalone worker of Kafka Connect, reading the users table into a topic of its own. */
export async function startDebezium(world: World) {
  const jars = await jarsOfPom('debezium', join(import.meta.dirname, 'pom.xml'), 'copy-dependencies');
  const { postgres } = await provision(world, TOPIC);
  await world.db.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
  return withHome('debezium', async (home, discard) => {
    const port = await freePort();
    const files = [
      await writeProperties(home, 'worker', workerProperties(world, home, port)),
      await writeProperties(home, 'connector', connectorProperties(world, postgres.publication)),
    ];
    const main = ['-cp', `${jars}/*`, 'org.apache.kafka.connect.cli.ConnectStandalone', ...files];
    const server = new Jvm({
      name: 'Kafka Connect',
      args: [...JVM, ...main],
      ready: async () => (await fetch(`http://127.0.0.1:${port}/connectors/users/status`)).ok,
    });
    await server.start();
    const stop = async () => {
      await server.halt('SIGTERM');
      await discard();
    };
    return { slot: SLOT, topic: TOPIC, pid: server.pid, stop };
  });
}

function workerProperties({ kafka }: World, home: string, port: number) {
  return {
    'bootstrap.servers': kafka.bootstrapServers.join(','),
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': false,
    'value.converter.schemas.enable': false,
    'offset.storage.file.filename': join(home, 'offsets'),
    listeners: `http://127.0.0.1:${port}`,
  };
}

function connectorProperties({ postgres: { section, credentials } }: World, publication: string) {
  return {
    name: 'users',
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'plugin.name': 'pgoutput',
    'database.hostname': section.host,
    'database.port': section.port,
    'database.user': credentials.username,
    'database.password': credentials.password,
    'database.dbname': section.database,
    'slot.name': SLOT,
    'publication.name': publication,
    'publication.autocreate.mode': 'disabled',
    'table.include.list': 'public.users',
    'topic.prefix': 'bench',
    'snapshot.mode': 'no_data',
    // The row alone, as our records have it, not with what stood before and where it came from.
    transforms: 'unwrap',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'topic.creation.default.partitions': PARTITIONS,
    'topic.creation.default.replication.factor': 1,
  };
}

async function writeProperties(home: string, name: string, properties: Record<string, unknown>) {
  const file = join(home, `${name}.properties`);
  await writeFile(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  return file;
}

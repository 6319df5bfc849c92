import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { jarsOf } from './jars.ts';
import { Jvm, withHome } from './jvm.ts';
import { freePort } from './wait.ts';

export type TestKafka = {
  bootstrapServers: string[];
  /** A plain client of the test's own. */
  client: Kafka;
  /** Ends the broker, keeping its data; `start` brings it back on the same port. */
  halt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** A throwaway one-node Kafka (KRaft) on free loopback ports. Topics are never made by themselves. */
export async function startKafka(): Promise<TestKafka> {
  const jars = await jarsOf('kafka', 'copy-dependencies');
  return withHome('kafka', async (home, discard) => {
    const port = await freePort();
    await writeFiles(home, port, await freePort());
    const bootstrapServers = [`127.0.0.1:${port}`];
    const client = new Kafka({
      brokers: bootstrapServers,
      logLevel: logLevel.NOTHING,
      retry: { retries: 10 },
    });
    const server = new Jvm({
      name: 'Kafka',
      args: [
        '-Xmx320m',
        '-XX:+UseSerialGC',
        '-cp',
        `${home}:${jars}/*`,
        'kafka.Kafka',
        join(home, 'server.properties'),
      ],
      ready: () => answers(bootstrapServers),
    });
    const stop = async () => {
      await server.halt();
      await discard();
    };
    await server.start().catch(async (error) => {
      await stop();
      throw error;
    });
    return {
      bootstrapServers,
      client,
      halt: () => server.halt('SIGTERM'),
      start: () => server.start(),
      stop,
    };
  });
}

async function writeFiles(home: string, port: number, controllerPort: number) {
  const data = join(home, 'data');
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
  };
  await mkdir(data);
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(home, 'server.properties'), lines.join('\n'));
  // What `kafka-storage format` writes, without another second of JVM.
  const directory = randomBytes(16).toString('base64url');
  const cluster = randomBytes(16).toString('base64url');
  await writeFile(
    join(data, 'meta.properties'),
    `version=1\ncluster.id=${cluster}\nnode.id=1\ndirectory.id=${directory}\n`,
  );
}

async function answers(brokers: string[]): Promise<boolean> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length === 1;
  } finally {
    await admin.disconnect();
  }
}

import { globSync } from 'node:fs';
import { join } from 'node:path';
import { jarsOf } from './jars.ts';
import { Jvm, withHome } from './jvm.ts';
import { freePort } from './wait.ts';

export type TestRegistry = {
  /** The root of its Confluent-compatible API. */
  url: string;
  halt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** A throwaway schema registry on a free loopback port, keeping its schemas in `kafka`. */
export async function startRegistry(kafka: { bootstrapServers: string[] }): Promise<TestRegistry> {
  const [jar] = globSync(join(await jarsOf('registry', 'unpack'), '*-runner.jar'));
  if (!jar) throw new Error('the registry image’s pom.xml brought no …-runner.jar');
  return withHome('registry', async (home, discard) => {
    const port = await freePort();
    const root = `http://127.0.0.1:${port}`;
    const server = new Jvm({
      name: 'the schema registry',
      args: [
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        `-Djava.io.tmpdir=${home}`,
        '-jar',
        jar,
      ],
      env: {
        QUARKUS_HTTP_HOST: '127.0.0.1',
        QUARKUS_HTTP_PORT: String(port),
        APICURIO_STORAGE_KIND: 'kafkasql',
        APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: kafka.bootstrapServers.join(','),
      },
      ready: async () => (await fetch(`${root}/health/ready`)).ok,
    });
    const stop = async () => {
      await server.halt();
      await discard();
    };
    await server.start().catch(async (error) => {
      await stop();
      throw error;
    });
    return { url: `${root}/apis/ccompat/v7`, halt: () => server.halt(), start: () => server.start(), stop };
  });
}

import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir, cached } from '../../k8s/cluster/cache.ts';
import { maven } from '../../k8s/cluster/maven.ts';
import { Progress } from '../../k8s/cluster/progress.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { STRIMZI } from '../src/reconcile/owned.ts';
import type { ApiServer } from './apiserver.ts';
import { until } from './until.ts';

const VERSION = '1.2.0';
const JDK = 21;

const KINDS: Record<string, string> = {
  kafka: 'io.strimzi.api.kafka.model.kafka.Kafka',
  nodepool: 'io.strimzi.api.kafka.model.nodepool.KafkaNodePool',
  topic: 'io.strimzi.api.kafka.model.topic.KafkaTopic',
  user: 'io.strimzi.api.kafka.model.user.KafkaUser',
};

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>userstream</groupId>
  <artifactId>strimzi-crds</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>io.strimzi</groupId><artifactId>crd-generator</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

const run = promisify(execFile);

/**
 * Strimzi's own CustomResourceDefinitions, made by its generator from Maven Central once and kept in the cache.
 * @throws where there is no JDK new enough to run it.
 */
export async function strimziDefinitions(): Promise<KubeObject[]> {
  const cache = cacheDir(process.env);
  const directory = await cached(cache, 'strimzi', VERSION, (target) => generate(cache, target));
  const files = Object.keys(KINDS).map((kind) => readFile(join(directory, `${kind}.json`), 'utf8'));
  return (await Promise.all(files)).map((text) => JSON.parse(text));
}

/** Makes the API server take Strimzi's kinds. */
export async function serveStrimzi({ adminClient }: ApiServer): Promise<void> {
  for (const definition of await strimziDefinitions())
    await adminClient.apply(definition, { fieldManager: 'test' });
  const served = () => Promise.all(STRIMZI.map((kind) => adminClient.list(kind)));
  await until("Strimzi's kinds are served", () => served().then(Boolean, () => false));
}

async function generate(cache: string, directory: string): Promise<void> {
  const java = await findJava();
  const progress = new Progress(console.error);
  await writeFile(join(directory, 'pom.xml'), POM);
  const jars = join(directory, 'jars');
  await progress.step("generate Strimzi's definitions (Maven)", async () => {
    const options = ['-f', directory, `-DoutputDirectory=${jars}`];
    await maven(cache, progress, ['dependency:copy-dependencies', ...options]);
    await runGenerator(java, jars, directory);
  });
  await rm(jars, { recursive: true });
}

async function runGenerator(java: string, jars: string, directory: string): Promise<void> {
  const versions = [
    '--target-kube',
    '1.27+',
    '--crd-api-version',
    'v1',
    '--api-versions',
    'v1',
    '--storage-version',
    'v1',
  ];
  const targets = Object.entries(KINDS).map(([kind, type]) => `${type}=${join(directory, `${kind}.json`)}`);
  const main = 'io.strimzi.crdgenerator.CrdGenerator';
  await run(java, ['-cp', `${jars}/*`, main, '--label', 'app:strimzi', ...versions, ...targets]);
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const candidates = [
    ...(home ? [join(home, 'bin/java')] : []),
    'java',
    ...globSync('/usr/lib/jvm/*/bin/java'),
  ];
  for (const java of candidates) {
    if ((await majorVersion(java)) >= JDK) return java;
  }
  throw new Error(
    `Strimzi's CRD generator needs a JDK ${JDK} or newer, and none was found (looked at ${candidates.join(', ')}): ` +
      'install one, or set JAVA_HOME to it',
  );
}

async function majorVersion(java: string): Promise<number> {
  try {
    const { stderr } = await run(java, ['-version']);
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '../src/kube/object.ts';

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
  const cache = process.env['USERSTREAM_CACHE'] ?? join(homedir(), '.cache', 'userstream');
  const directory = join(cache, `strimzi-crds-${VERSION}`);
  if (!existsSync(directory)) await generate(cache, directory);
  const files = Object.keys(KINDS).map((kind) => readFile(join(directory, `${kind}.json`), 'utf8'));
  return (await Promise.all(files)).map((text) => JSON.parse(text));
}

/** Into a directory that takes its name only when it is whole. */
async function generate(cache: string, directory: string): Promise<void> {
  const java = await findJava();
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(join(cache, 'strimzi-crds-'));
  try {
    await writeFile(join(building, 'pom.xml'), POM);
    const jars = join(building, 'jars');
    await run('mvn', [
      '-B',
      '-q',
      '-f',
      building,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${jars}`,
    ]);
    await runGenerator(java, jars, building);
    await rm(jars, { recursive: true });
    await rename(building, directory);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
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

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const IMAGES = join(import.meta.dirname, '../../k8s/images');

/**
 * The directory with the jars that image `name` is built from, resolved by Maven from the image's own pom.xml and kept
 * in the cache outside the checkout. `goal` is the Containerfile's.
 */
export async function jarsOf(
  name: 'kafka' | 'registry' | 'cassandra',
  goal: 'copy-dependencies' | 'unpack',
): Promise<string> {
  const pom = await readFile(join(IMAGES, name, 'pom.xml'));
  const hash = createHash('sha256').update(pom).digest('hex').slice(0, 12);
  const directory = join(cache(), 'jars', `${name}-${hash}`);
  if (existsSync(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  const building = await mkdtemp(`${directory}-`);
  try {
    await writeFile(join(building, 'pom.xml'), pom);
    await resolve(building, goal);
    await rename(building, directory);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
  return directory;
}

/** In a directory of its own, because Maven leaves its notes beside the pom.xml. */
async function resolve(directory: string, goal: string) {
  const options = ['-DincludeScope=runtime', `-DoutputDirectory=${directory}`];
  await promisify(execFile)('mvn', ['-B', '-q', '-f', directory, `dependency:${goal}`, ...options]);
}

function cache(): string {
  return process.env['USERSTREAM_CACHE'] ?? join(homedir(), '.cache', 'userstream');
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.ts';

/** What the cache holds; `npm run clean` removes a directory that holds nothing else. */
const KINDS = [
  'bin',
  'debian',
  'go-build',
  'go-mod',
  'image-layouts',
  'images',
  'jars',
  'kind',
  'kwok',
  'pause',
  'pyspark',
  'skaffold',
  'strimzi',
] as const;

export type Kind = (typeof KINDS)[number];

/** Where all that is downloaded or built is kept, outside the checkout: a directory of our own in the user's caches. */
export function cacheDir(env: NodeJS.ProcessEnv): string {
  const base = env['USERSTREAM_CACHE'] || env['XDG_CACHE_HOME'] || join(env['HOME'] || '/root', '.cache');
  return join(base, 'userstream');
}

/** Answers those of a cache directory's entries that aren't ours. */
export function foreignEntries(entries: string[]): string[] {
  return entries.filter((entry) => !KINDS.some((kind) => kind === entry));
}

/**
 * Answers the directory `cache/kind/key`, made by `make` if it isn't there. It appears whole or not at all: `make` fills a
 * directory beside it, which is renamed at the end. Of several processes one makes it, the others wait.
 */
export async function cached(
  cache: string,
  kind: Kind,
  key: string,
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const entry = join(cache, kind, key);
  if (existsSync(entry)) return entry;
  const onWait = () => console.log(`  … another process is making ${entry}: waiting for it`);
  const work = async () => {
    if (existsSync(entry)) return entry;
    await removeUnfinished(join(cache, kind), key);
    const unfinished = `${entry}.unfinished-${process.pid}`;
    await mkdir(unfinished, { recursive: true });
    await make(unfinished);
    await rename(unfinished, entry);
    return entry;
  };
  return withLock(entry, work, onWait);
}

/** What interrupted processes left; a child of theirs that still works finds its directory gone. */
async function removeUnfinished(directory: string, key: string): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  const unfinished = entries.filter((entry) => entry.startsWith(`${key}.unfinished-`));
  for (const entry of unfinished) await rm(join(directory, entry), { recursive: true, force: true });
}

/** A short name for some content: equal for equal parts, in order. */
export function contentKey(...parts: (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update('\0').update(part);
  return hash.digest('hex').slice(0, 16);
}

/** The content key of a directory: the names and contents of all files below it. */
export async function directoryKey(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  files.sort();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  return contentKey(...files.map((file) => file.slice(directory.length)), ...contents);
}

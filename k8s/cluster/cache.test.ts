import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cacheDir, cached, contentKey, directoryKey, foreignEntries } from './cache.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'userstream-cache-'));
});
after(() => rm(root, { recursive: true }));

describe('the cache directory', () => {
  const cases: [string, NodeJS.ProcessEnv, string][] = [
    [
      'is in the directory that USERSTREAM_CACHE says',
      { USERSTREAM_CACHE: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' },
      '/a/userstream',
    ],
    ['is in XDG_CACHE_HOME', { XDG_CACHE_HOME: '/b', HOME: '/c' }, '/b/userstream'],
    ['is in the home directory', { HOME: '/c' }, '/c/.cache/userstream'],
  ];
  for (const [name, env, expected] of cases) test(name, () => assert.equal(cacheDir(env), expected));

  test('tells its own entries from those of others', () =>
    assert.deepEqual(foreignEntries(['bin', 'README.md', 'strimzi', 'src']), ['README.md', 'src']));
});

describe('a cache entry', () => {
  test('is made once', async () => {
    let made = 0;
    const make = async (directory: string) => {
      made += 1;
      await writeFile(join(directory, 'file'), 'content');
    };
    const entries = await Promise.all([1, 2, 3].map(() => cached(root, 'kind', 'once', make)));
    assert.equal(made, 1);
    assert.deepEqual(new Set(entries), new Set([join(root, 'kind', 'once')]));
  });

  test('is not there when it could not be made whole', async () => {
    const fail = async (directory: string) => {
      await writeFile(join(directory, 'half'), '');
      throw new Error('no more disk');
    };
    await assert.rejects(cached(root, 'kind', 'failed', fail), /no more disk/);
    const entry = await cached(root, 'kind', 'failed', (directory) =>
      writeFile(join(directory, 'whole'), 'x'),
    );
    assert.deepEqual(await readdir(entry), ['whole']);
  });

  test('takes the place of what an interrupted process left', async () => {
    await mkdir(join(root, 'kind', 'left.unfinished-1'), { recursive: true });
    const entry = await cached(root, 'kind', 'left', (directory) =>
      writeFile(join(directory, 'file'), 'new'),
    );
    assert.equal(await readFile(join(entry, 'file'), 'utf8'), 'new');
    assert.ok(!(await readdir(join(root, 'kind'))).some((name) => name.startsWith('left.unfinished')));
  });
});

describe('a content key', () => {
  test('tells apart where one part ends and the next begins', () =>
    assert.notEqual(contentKey('ab', 'c'), contentKey('a', 'bc')));

  test('of a directory follows names and contents', async () => {
    const directory = join(root, 'keyed');
    await mkdir(join(directory, 'below'), { recursive: true });
    await writeFile(join(directory, 'below', 'a'), '1');
    const first = await directoryKey(directory);
    assert.equal(await directoryKey(directory), first);
    await writeFile(join(directory, 'below', 'a'), '2');
    assert.notEqual(await directoryKey(directory), first);
  });
});

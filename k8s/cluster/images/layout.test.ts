import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { addTag, imagesIn, keepNewest, removeUnusedBlobs, startFromNewest } from './layout.ts';

describe('an OCI layout', () => {
  let layouts: string;

  beforeEach(async () => {
    layouts = await mkdtemp(join(tmpdir(), 'userstream-layouts-'));
  });
  afterEach(() => rm(layouts, { recursive: true }));

  /** A layout with one image of one layer, and a blob that no image has. */
  async function makeLayout(name: string, usedAt: Date): Promise<string> {
    const layout = join(layouts, name);
    const blobs = join(layout, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    const manifest = { config: { digest: 'sha256:config' }, layers: [{ digest: 'sha256:layer' }] };
    await writeFile(join(blobs, 'manifest'), JSON.stringify(manifest));
    for (const blob of ['config', 'layer', 'unused']) await writeFile(join(blobs, blob), blob);
    const annotations = { 'org.opencontainers.image.ref.name': 'docker.io/userstream/kafka:abc' };
    const manifests = [{ digest: 'sha256:manifest', annotations }];
    await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await utimes(layout, usedAt, usedAt);
    return layout;
  }

  test('can name each image a second time', async () => {
    const layout = await makeLayout('one', new Date());
    await addTag(layout, '0.1.0');
    assert.deepEqual(await imagesIn(layout), ['userstream/kafka:abc', 'userstream/kafka:0.1.0']);
  });

  test('loses only the blobs that no image has', async () => {
    const layout = await makeLayout('one', new Date());
    await removeUnusedBlobs(layout);
    assert.deepEqual((await readdir(join(layout, 'blobs', 'sha256'))).sort(), [
      'config',
      'layer',
      'manifest',
    ]);
  });

  test('starts with what the newest whole one has, and says what is missing', async () => {
    await makeLayout('old', new Date(1_000_000));
    const newest = await makeLayout('new', new Date(2_000_000));
    await writeFile(join(newest, 'blobs', 'sha256', 'only-here'), '');
    const target = join(layouts, 'next.unfinished-1');
    const missing = await startFromNewest(layouts, target, ['userstream/kafka:abc', 'userstream/spark:def']);
    assert.deepEqual(missing, ['userstream/spark:def']);
    assert.deepEqual(await imagesIn(target), ['userstream/kafka:abc']);
    assert.ok((await readdir(join(target, 'blobs', 'sha256'))).includes('only-here'));
  });

  test('starts empty where there is none yet', async () => {
    const target = join(layouts, 'first.unfinished-1');
    assert.deepEqual(await startFromNewest(layouts, target, ['userstream/kafka:abc']), [
      'userstream/kafka:abc',
    ]);
  });

  test('is removed once newer ones are enough, as is one that was never finished', async () => {
    for (const [index, name] of ['a', 'b', 'c', 'd.unfinished-1', 'e.unfinished-2'].entries())
      await makeLayout(name, new Date((index + 1) * 1_000_000));
    const target = join(layouts, 'e.unfinished-2');
    assert.deepEqual(await keepNewest(layouts, 2, target), [target, join(layouts, 'c'), join(layouts, 'b')]);
    assert.deepEqual((await readdir(layouts)).sort(), ['b', 'c', 'e.unfinished-2']);
  });
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { IMAGES, type Image, imageReference, LEFT_OUT } from './catalog.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe('the catalog of images', () => {
  test('has every Containerfile', async () => {
    const entries = await readdir(join(ROOT, 'k8s/images'), { withFileTypes: true });
    const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    assert.deepEqual(directories.sort(), IMAGES.map(({ name }) => name).sort());
  });

  test('counts among the inputs all that a Containerfile copies from the repository', async () => {
    for (const image of IMAGES) {
      const text = await readFile(join(ROOT, 'k8s/images', image.name, 'Containerfile'), 'utf8');
      for (const line of text.matchAll(/^COPY (?!--from)(?:--\S+ )*(.*) \S+$/gm))
        for (const source of line[1]?.split(' ') ?? [])
          assert.ok(
            image.inputs.some((input) => source === input || source.startsWith(`${input}/`)),
            `${image.name} copies ${source}`,
          );
    }
  });

  test('leaves out what .dockerignore leaves out', async () => {
    const ignored = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n');
    const everywhere = ignored.filter((line) => line.startsWith('**/')).map((line) => line.slice(3));
    assert.deepEqual(everywhere.sort(), [...LEFT_OUT, '*.test.ts'].sort());
  });
});

describe('skaffold.yaml', () => {
  type Artifact = { image: string; custom?: { dependencies: { paths: string[] } } };
  type Config = { build: { artifacts: Artifact[] }; profiles: Config[] };

  test('builds every image, and again when its inputs change', async () => {
    const config: Config = parse(await readFile(join(ROOT, 'skaffold.yaml'), 'utf8'));
    const names = IMAGES.map(({ name }) => `userstream/${name}`).sort();
    assert.deepEqual(config.build.artifacts.map(({ image }) => image).sort(), names);
    const native = config.profiles[0]?.build.artifacts ?? [];
    const inputs = native.map(({ image, custom }) => [image, custom?.dependencies.paths.sort()]);
    const expected = IMAGES.map((image) => [`userstream/${image.name}`, image.inputs.toSorted()]);
    assert.deepEqual(Object.fromEntries(inputs), Object.fromEntries(expected));
  });
});

describe('the reference of an image', () => {
  let root: string;
  const image: Image = { name: 'thing', inputs: ['one.txt', 'code'] };
  const write = (path: string, text: string) => writeFile(join(root, path), text);

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'userstream-catalog-'));
    await mkdir(join(root, 'code', 'node_modules'), { recursive: true });
    await write('one.txt', 'one');
    await write('code/main.ts', 'main');
  });
  after(() => rm(root, { recursive: true }));

  test('stays while inputs and base stay', async () => {
    const reference = await imageReference(root, image, 'base');
    assert.match(reference, /^userstream\/thing:[0-9a-f]{12}$/);
    await write('code/main.test.ts', 'a test');
    await write('code/node_modules/x.js', 'a dependency');
    await write('other.txt', 'not an input');
    assert.equal(await imageReference(root, image, 'base'), reference);
  });

  test('changes with an input, a name or the base', async () => {
    const seen = new Set([await imageReference(root, image, 'base')]);
    seen.add(await imageReference(root, image, 'another base'));
    await write('code/main.ts', 'changed');
    seen.add(await imageReference(root, image, 'base'));
    await write('code/more.ts', '');
    seen.add(await imageReference(root, image, 'base'));
    assert.equal(seen.size, 4);
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import type { Tools } from './debian.ts';
import { baseReference } from './images/base.ts';
import { Builder } from './images/builder.ts';
import { IMAGES, type Image, imageReference } from './images/catalog.ts';
import { addTag, imagesIn, keepNewest, removeUnusedBlobs, startFromNewest, touch } from './images/layout.ts';
import { withLock } from './lock.ts';
import type { Progress, Report } from './progress.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export type BuildOptions = { cache: string; tools: Tools; progress: Progress };

/** The references of images by their names in `k8s/images`, and the OCI layout that holds them. */
export type BuiltImages = { layout: string; images: Record<string, string> };

type Wanted = { image: Image; reference: string };

/**
 * Builds every image of `k8s/images` that isn't in the cache yet, without a container engine.
 * In the layout each image has two tags: that of its content and the version of package.json.
 * Throws a CommandError with the last lines of a build that fails.
 */
export async function buildImages({ cache, tools, progress }: BuildOptions): Promise<BuiltImages> {
  const base = await baseReference();
  const wanted = await wantedImages(base);
  const images = Object.fromEntries(wanted.map(({ image, reference }) => [image.name, reference]));
  const version = await packageVersion();
  const layouts = join(cache, 'image-layouts');
  const key = contentKey(version, ...Object.values(images));
  const layout = await cached(cache, 'image-layouts', key, (target) =>
    withLock(join(cache, 'images'), async () => {
      const builder = await Builder.open(join(cache, 'images'), tools);
      await buildMissing(builder, wanted, base, progress);
      await progress.step('export the images', async () => {
        const missing = await startFromNewest(layouts, target, Object.values(images));
        for (const reference of missing) await builder.export(reference, target);
        await addTag(target, version);
        await removeUnusedBlobs(target);
      });
      const kept = await keepNewest(layouts, 2, target);
      await builder.prune([base, ...(await Promise.all(kept.map(imagesIn))).flat()]);
    }),
  );
  await touch(layout);
  return { layout, images };
}

async function wantedImages(base: string): Promise<Wanted[]> {
  return Promise.all(
    IMAGES.map(async (image) => ({ image, reference: await imageReference(ROOT, image, base) })),
  );
}

async function buildMissing(
  builder: Builder,
  wanted: Wanted[],
  base: string,
  progress: Progress,
): Promise<void> {
  if (!(await builder.has(base)))
    await progress.step('make the base image (Debian)', (report) => builder.buildBase(base, short(report)));
  for (const { image, reference } of wanted)
    if (!(await builder.has(reference)))
      await progress.step(`build the image ${image.name}`, (report) =>
        builder.build(ROOT, image, reference, base, short(report)),
      );
}

function short(report: Report): Report {
  return (line) => report(line.slice(0, 80));
}

async function packageVersion(): Promise<string> {
  const text = await readFile(join(ROOT, 'package.json'), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}

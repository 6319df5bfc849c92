import { link, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'org.opencontainers.image.ref.name';

type Descriptor = { mediaType: string; digest: string; size: number; annotations?: Record<string, string> };
type Index = { schemaVersion: number; manifests: Descriptor[] };

/** What containerd puts before a name without a host, as in the `userstream/kafka:0.1.0` of a pod. */
const DEFAULT_HOST = 'docker.io/';

/** The name that an image has in containerd. */
export function containerdName(reference: string): string {
  return DEFAULT_HOST + reference;
}

/** The references of all images in a layout. */
export async function imagesIn(layout: string): Promise<string[]> {
  const { manifests } = await readIndex(layout);
  return manifests.map(referenceOf);
}

/** The digest of an image's manifest. Throws when the layout doesn't have the image. */
export async function digestIn(layout: string, reference: string): Promise<string> {
  const manifest = (await readIndex(layout)).manifests.find(
    (candidate) => referenceOf(candidate) === reference,
  );
  if (!manifest) throw new Error(`${layout} has no image "${reference}"`);
  return manifest.digest;
}

/** Gives every image of a layout a second tag beside its own. */
export async function addTag(layout: string, tag: string): Promise<void> {
  const index = await readIndex(layout);
  const renamed = index.manifests.map((manifest) => ({
    ...manifest,
    annotations: { ...manifest.annotations, [NAME]: withTag(manifest.annotations?.[NAME] ?? '', tag) },
  }));
  const manifests = [...index.manifests, ...renamed];
  await writeFile(join(layout, 'index.json'), JSON.stringify({ ...index, manifests }));
}

function withTag(name: string, tag: string): string {
  return `${name.slice(0, name.lastIndexOf(':'))}:${tag}`;
}

/**
 * Starts a layout with what the newest one beside it has: its blobs, as hard links, and those of its images that are
 * among `references`. Answers the references that are still to be added.
 */
export async function startFromNewest(
  layouts: string,
  target: string,
  references: string[],
): Promise<string[]> {
  const [newest] = await layoutsByAge(layouts);
  const blobs = join(target, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  if (!newest) return references;
  const known = join(newest, 'blobs', 'sha256');
  for (const blob of await readdir(known)) await link(join(known, blob), join(blobs, blob));
  const index = await readIndex(newest);
  const manifests = index.manifests.filter((manifest) => references.includes(referenceOf(manifest)));
  await writeFile(join(target, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(target, 'index.json'), JSON.stringify({ ...index, manifests }));
  return references.filter((reference) => !manifests.some((manifest) => referenceOf(manifest) === reference));
}

/** Removes the blobs that no image of the layout is made of. */
export async function removeUnusedBlobs(layout: string): Promise<void> {
  const blobs = join(layout, 'blobs', 'sha256');
  const used = new Set<string>();
  for (const { digest } of (await readIndex(layout)).manifests) {
    const manifest = JSON.parse(await readFile(join(blobs, hex(digest)), 'utf8'));
    for (const blob of [
      digest,
      manifest.config.digest,
      ...manifest.layers.map((layer: Descriptor) => layer.digest),
    ])
      used.add(hex(blob));
  }
  for (const blob of await readdir(blobs)) if (!used.has(blob)) await rm(join(blobs, blob));
}

/** Removes all layouts in a directory but those used last and `target`, which is being made. Answers those that stay. */
export async function keepNewest(layouts: string, count: number, target: string): Promise<string[]> {
  const kept = [target, ...(await layoutsByAge(layouts)).slice(0, count)];
  for (const name of await readdir(layouts)) {
    const layout = join(layouts, name);
    if (!kept.includes(layout)) await rm(layout, { recursive: true, force: true });
  }
  return kept;
}

/** Marks a layout as used now. */
export async function touch(layout: string): Promise<void> {
  await utimes(layout, new Date(), new Date());
}

async function layoutsByAge(layouts: string): Promise<string[]> {
  const names = (await readdir(layouts)).filter((name) => !name.includes('.unfinished'));
  const aged = names.map(async (name) => ({
    path: join(layouts, name),
    at: (await stat(join(layouts, name))).mtimeMs,
  }));
  return (await Promise.all(aged)).sort((a, b) => b.at - a.at).map(({ path }) => path);
}

async function readIndex(layout: string): Promise<Index> {
  return JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
}

function referenceOf(manifest: Descriptor): string {
  return (manifest.annotations?.[NAME] ?? '').replace(DEFAULT_HOST, '');
}

function hex(digest: string): string {
  return digest.replace('sha256:', '');
}

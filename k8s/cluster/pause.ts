import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import { run } from './run.ts';

type Descriptor = { mediaType: string; digest: string; size: number };

/** Answers an image (name and OCI layout) that holds nothing but our `pause`, the first process of every pod. */
export async function pauseImage(cache: string, binaries: string): Promise<{ name: string; layout: string }> {
  const key = contentKey(await readFile(join(binaries, 'pause')));
  const name = `docker.io/userstream/pause:${key}`;
  const layout = await cached(cache, 'pause', key, (directory) =>
    makeLayout(directory, join(binaries, 'pause'), name),
  );
  return { name, layout };
}

async function makeLayout(directory: string, binary: string, name: string): Promise<void> {
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const layer = await addLayer(directory, blobs, binary);
  const image = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  };
  const config = await addJson(blobs, 'application/vnd.oci.image.config.v1+json', image);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await addJson(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': name } };
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

async function addLayer(directory: string, blobs: string, binary: string): Promise<Descriptor> {
  await copyFile(binary, join(directory, 'pause'));
  const tar = join(directory, 'layer.tar');
  await run('tar', ['--mtime=@0', '--owner=0', '--group=0', '-C', directory, '-cf', tar, 'pause']);
  const digest = sha256(await readFile(tar));
  const { size } = await stat(tar);
  await copyFile(tar, join(blobs, digest));
  for (const file of [tar, join(directory, 'pause')]) await rm(file);
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${digest}`, size };
}

async function addJson(blobs: string, mediaType: string, value: object): Promise<Descriptor> {
  const text = JSON.stringify(value);
  const digest = sha256(text);
  await writeFile(join(blobs, digest), text);
  return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

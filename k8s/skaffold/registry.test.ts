import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Content, registryServer, tagImage } from './registry.ts';

describe('the registry', () => {
  let directory: string;
  let content: Content;
  let url: string;
  let server: ReturnType<typeof registryServer>;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = JSON.stringify({ mediaType, layers: [] });
  const hex = createHash('sha256').update(manifest).digest('hex');

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'userstream-registry-'));
    content = { layouts: join(directory, 'layouts'), tags: join(directory, 'tags') };
    const blobs = join(content.layouts, 'one', 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, hex), manifest);
    server = registryServer(content).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/`;
  });
  after(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });

  test('says that it is one', async () => {
    assert.equal((await fetch(url)).status, 200);
  });

  test('answers with the digest of a tag', async () => {
    await tagImage(content, 'userstream/kafka', '1', `sha256:${hex}`);
    const response = await fetch(`${url}userstream/kafka/manifests/1`, { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('docker-content-digest'), `sha256:${hex}`);
    assert.equal(response.headers.get('content-type'), mediaType);
  });

  test('gives manifests and blobs by digest', async () => {
    for (const kind of ['manifests', 'blobs']) {
      const response = await fetch(`${url}userstream/kafka/${kind}/sha256:${hex}`);
      assert.equal(await response.text(), manifest);
    }
  });

  test('refuses what it does not have, and paths that lead elsewhere', async () => {
    const unknown = [
      'manifests/2',
      `blobs/sha256:${'0'.repeat(64)}`,
      'manifests/..%2F..%2Fsecret',
      'tags/list',
    ];
    for (const path of unknown)
      assert.equal((await fetch(`${url}userstream/kafka/${path}`)).status, 404, path);
  });
});

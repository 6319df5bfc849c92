import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';

/** Where a registry's content is: blobs in the OCI layouts below `layouts`, the digest of a tag in a file below `tags`. */
export type Content = { layouts: string; tags: string };

/** Gives the image with this manifest a name in the registry. */
export async function tagImage({ tags }: Content, name: string, tag: string, digest: string): Promise<void> {
  const file = join(tags, name, tag);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, digest);
}

/** An image registry that can only be read: what Skaffold asks for an image's digest, and containerd for the image. */
export function registryServer(content: Content): Server {
  return createServer((request, response) => {
    answer(content, request, response).catch((error: Error) => refuse(response, 500, error.message));
  });
}

async function answer(content: Content, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = decodeURIComponent(request.url ?? '');
  if (url === '/v2/') return void response.writeHead(200).end();
  const [, name, kind, reference] = /^\/v2\/([a-z/]+)\/(manifests|blobs)\/([\w.:-]+)$/.exec(url) ?? [];
  if (!name || !reference) return refuse(response, 404, `there is no ${url}`);
  const digest = reference.startsWith('sha256:') ? reference : await digestOf(content, name, reference);
  const file = await findBlob(content, digest);
  if (!file) return refuse(response, 404, `no image has the name or the part ${name}:${reference}`);
  response.writeHead(200, {
    'content-type': kind === 'manifests' ? await manifestType(file) : 'application/octet-stream',
    'content-length': (await stat(file)).size,
    'docker-content-digest': digest,
  });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file).pipe(response);
}

function digestOf({ tags }: Content, name: string, tag: string): Promise<string> {
  return readFile(join(tags, name, tag), 'utf8').catch(() => '');
}

async function findBlob({ layouts }: Content, digest: string): Promise<string | undefined> {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (!hex) return undefined;
  for (const layout of await readdir(layouts)) {
    const file = join(layouts, layout, 'blobs', 'sha256', hex);
    if (await stat(file).catch(() => undefined)) return file;
  }
  return undefined;
}

async function manifestType(file: string): Promise<string> {
  const { mediaType }: { mediaType?: string } = JSON.parse(await readFile(file, 'utf8'));
  return mediaType ?? 'application/vnd.oci.image.manifest.v1+json';
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}

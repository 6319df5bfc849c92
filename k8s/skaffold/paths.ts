import { join } from 'node:path';
import type { Content } from './registry.ts';

/** Where the registry of `npm run skaffold` listens: on the loopback device of the cluster's own network namespace. */
export const REGISTRY = { host: '127.0.0.1', port: 5000 };

/** What that registry holds: the cache's images, under the names they have in this cluster. */
export function registryContent(cache: string, stateDir: string): Content {
  return { layouts: join(cache, 'image-layouts'), tags: join(stateDir, 'registry-tags') };
}

import { goBinaries } from '../../k8s/cluster/binaries.ts';
import { cacheDir } from '../../k8s/cluster/cache.ts';
import { Progress } from '../../k8s/cluster/progress.ts';

let found: Promise<string> | undefined;

/**
 * The directory that holds kube-apiserver, etcd and the rest: the one named by USERSTREAM_BINARIES (another version of
 * Kubernetes, say), else the local cluster's own, compiled first where the cache has none.
 */
export function binaries(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  found ??= find(env);
  return found;
}

async function find(env: NodeJS.ProcessEnv): Promise<string> {
  if (env['USERSTREAM_BINARIES']) return env['USERSTREAM_BINARIES'];
  return await goBinaries(cacheDir(env), new Progress(console.error));
}

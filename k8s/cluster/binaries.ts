import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey, directoryKey } from './cache.ts';
import type { Progress } from './progress.ts';
import { run } from './run.ts';

const MODULE = join(import.meta.dirname, 'go');

/** The programs of others that go.mod names as tools, and ours. */
const PROGRAMS = ['tool', './cmd/...'];

/**
 * Compiles Kubernetes, etcd, CoreDNS, Helm and our own small programs from the Go module in `go/`, whose go.mod pins them
 * all: one module, so that what they share is compiled once. Answers the directory that holds the binaries.
 */
export async function goBinaries(cache: string, progress: Progress): Promise<string> {
  const env = goEnvironment(cache, process.env);
  const flags = buildFlags(kubernetesVersion(await readFile(join(MODULE, 'go.mod'), 'utf8')));
  const toolchain = await run('go', ['env', 'GOVERSION', 'GOARCH'], { cwd: MODULE, env });
  const key = contentKey(await directoryKey(MODULE), toolchain, ...flags);
  return cached(cache, 'bin', key, async (target) => {
    const packages = await progress.step('download Go modules', (onLine) =>
      run('go', ['list', '-deps', ...PROGRAMS], { cwd: MODULE, env, onLine }),
    );
    await progress.step('compile Kubernetes, etcd, CoreDNS and Helm (Go)', (report) => {
      const onLine = countPackages(packages.trim().split('\n').length, report);
      return run('go', ['build', '-v', ...flags, '-o', `${target}/`, ...PROGRAMS], {
        cwd: MODULE,
        env,
        onLine,
      });
    });
  });
}

/** The version of Kubernetes that a go.mod asks for. */
export function kubernetesVersion(goMod: string): string {
  const version = /^\s*(?:require )?k8s\.io\/kubernetes (v\S+)/m.exec(goMod)?.[1];
  if (!version) throw new Error('k8s/cluster/go/go.mod does not require k8s.io/kubernetes');
  return version;
}

/** Go's flags: binaries without paths or symbols, which know their version. */
export function buildFlags(version: string): string[] {
  const [major, minor] = version.slice(1).split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const settings = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  // What `helm template` takes for the cluster's version.
  const helm = 'helm.sh/helm/v3/pkg/chartutil.k8sVersion';
  settings.push(`-X ${helm}Major=${major}`, `-X ${helm}Minor=${minor}`);
  return ['-trimpath', '-buildvcs=false', '-mod=readonly', `-ldflags=-s -w ${settings.join(' ')}`];
}

function goEnvironment(cache: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = {
    GOCACHE: join(cache, 'go-build'),
    GOMODCACHE: join(cache, 'go-mod'),
    GOFLAGS: '',
    GOWORK: 'off',
  };
  return { ...env, ...own, CGO_ENABLED: '0' };
}

function countPackages(total: number, report: (detail: string) => void): () => void {
  let compiled = 0;
  return () => {
    compiled += 1;
    report(`${compiled} packages compiled, of ${total} at most`);
  };
}

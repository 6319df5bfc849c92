import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/object.ts';

type ResourceList = {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
};
type GroupList = { groups: { preferredVersion: { groupVersion: string } }[] };
/** A kind that a namespace may hold. */
export type Served = { apiVersion: string; kind: string; plural: string };

/** What is written about the state rather than being it, or says the same once more. */
const ABOUT = new Set(['Event', 'Lease', 'Endpoints', 'EndpointSlice']);

/** All objects of a namespace, of the given kinds. */
export async function objectsOf(
  client: KubeClient,
  served: Served[],
  namespace: string,
): Promise<KubeObject[]> {
  const lists = served.map(async ({ apiVersion, kind, plural }) => {
    const path = `${groupPath(apiVersion)}/namespaces/${namespace}/${plural}`;
    const { items }: { items: KubeObject[] } = JSON.parse(await client.raw(path));
    return items.map((item) => ({ ...item, apiVersion, kind }));
  });
  return (await Promise.all(lists)).flat();
}

/** The kinds that the API server has now. */
export async function discover(client: KubeClient): Promise<Served[]> {
  const { groups }: GroupList = JSON.parse(await client.raw('/apis'));
  const versions = ['v1', ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
  const lists: ResourceList[] = await Promise.all(
    versions.map(async (version) => JSON.parse(await client.raw(groupPath(version)))),
  );
  return lists.flatMap(({ groupVersion, resources }) =>
    resources
      .filter(({ kind, namespaced, verbs }) => namespaced && verbs.includes('list') && !ABOUT.has(kind))
      .map(({ kind, name }) => ({ apiVersion: groupVersion, kind, plural: name })),
  );
}

function groupPath(version: string): string {
  return version.includes('/') ? `/apis/${version}` : `/api/${version}`;
}

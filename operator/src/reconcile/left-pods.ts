import type { V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { POD, STATEFUL_SET } from '../kube/kinds.ts';
import type { Context } from './step.ts';

/** The components whose StatefulSets are made anew around their running pods. */
const COMPONENTS = ['postgres', 'cassandra', 'spark'];

/** The pods of a StatefulSet that is no more, whom it left to nobody. */
async function leftBy({ cluster }: Context, component: string, set: string): Promise<V1Pod[]> {
  const pods = await cluster.pods(component);
  return pods.filter(({ metadata }) => {
    const name = metadata?.labels?.['statefulset.kubernetes.io/pod-name'];
    return !metadata?.ownerReferences?.length && name === metadata?.name && name?.startsWith(`${set}-`);
  });
}

/**
 * Ends the pods of StatefulSets that were taken away to be made anew, and won't be: the garbage collector knows nothing of
 * them.
 * @returns whether there are none, and none will come
 */
export async function endLeftPods(context: Context): Promise<boolean> {
  const { pipeline, cluster } = context;
  let none = true;
  for (const component of COMPONENTS) {
    const name = `${pipeline.name}-${component}`;
    const set = await cluster.get<V1StatefulSet>(STATEFUL_SET, name);
    if (set) {
      none &&= !set.metadata?.finalizers?.includes('orphan');
      continue;
    }
    for (const { metadata: { name: pod = '', uid = '' } = {} } of await leftBy(context, component, name)) {
      await cluster.delete(POD, pod, { uid });
      none = false;
    }
  }
  return none;
}

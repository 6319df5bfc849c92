import type { KubeClient } from '../kube/client.ts';
import { refOf } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import { FIELD_MANAGER } from './owned.ts';
import type { PipelineObject } from './pipeline-object.ts';

/** Held until what garbage collection can't reach is undone: slots, topics and keyspaces on systems that live on. */
export const FINALIZER = 'userstream.dev/teardown';

/** Writes the whole list, which nobody else may have changed meanwhile. */
async function write(client: KubeClient, object: PipelineObject, finalizers: string[]) {
  return await client.mergePatch<PipelineObject>(
    refOf(object),
    { metadata: { finalizers } },
    { fieldManager: FIELD_MANAGER, preconditions: asKnown(object) },
  );
}

/** Holds the object until it is taken apart; answers it as it now stands. */
export async function ensureFinalizer(client: KubeClient, object: PipelineObject): Promise<PipelineObject> {
  const finalizers = object.metadata.finalizers ?? [];
  return finalizers.includes(FINALIZER) ? object : await write(client, object, [...finalizers, FINALIZER]);
}

/** Lets the deleted object go. */
export async function removeFinalizer(client: KubeClient, object: PipelineObject): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== FINALIZER);
  await write(client, object, finalizers);
}

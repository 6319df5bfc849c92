import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import { FIELD_MANAGER } from './owned.ts';
import type { PipelineObject } from './pipeline-object.ts';

/** Held until what garbage collection can't reach is undone: slots, topics and keyspaces on systems that live on. */
export const FINALIZER = 'userstream.dev/teardown';

/** Writes the whole list, which nobody else may have changed meanwhile. */
async function write<T extends KubeObject>(client: KubeClient, object: T, finalizers: string[]): Promise<T> {
  return await client.mergePatch<T>(
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

/** Lets the deleted object go, as far as that finalizer holds it. */
export async function removeFinalizer(
  client: KubeClient,
  object: KubeObject,
  finalizer = FINALIZER,
): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  await write(client, object, finalizers);
}

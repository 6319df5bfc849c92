import type { PipelineKey } from '../api/names.ts';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import type { PipelineStatus } from '../api/status.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';

/** A pipeline as the API server holds it. */
export type PipelineObject = KubeObject & { status?: PipelineStatus };

export function refTo(key: PipelineKey): ObjectRef {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, ...key };
}

/** Whether its owner wants the operator's hands off it. */
export function isPaused({ metadata }: PipelineObject): boolean {
  return metadata.annotations?.['userstream.dev/reconcile'] === 'disabled';
}

import type { PipelineStatus } from '../../src/api/status.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { isEvent, isWrite, type Sent } from './tap.ts';

export type PipelineObject = KubeObject & { spec: Record<string, unknown>; status?: PipelineStatus };

/** Whether a pipeline says that it is ready as its spec now is. */
export function isReady(pipeline: PipelineObject | undefined): boolean {
  const ready = pipeline?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === pipeline?.metadata.generation;
}

/** Whether a request told the users that the pipeline is ready as of this generation. */
export function saysReady({ path, body, code = 0 }: Sent, generation = 0): boolean {
  if (!path.endsWith('/status') || code >= 300) return false;
  return isReady({ ...JSON.parse(body), metadata: { name: '', generation } });
}

/** Whether a request changed an object, other than to tell about it. */
export function isWork(sent: Sent): boolean {
  return isWrite(sent) && !sent.path.endsWith('/status') && !isEvent(sent) && (sent.code ?? 500) < 300;
}

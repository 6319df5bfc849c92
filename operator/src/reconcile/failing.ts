import type { PipelineKey } from '../api/names.ts';
import { failureCheck, tellsFailure } from '../status/failure.ts';
import { isPaused, type PipelineObject, refTo } from './pipeline-object.ts';
import { type StatusWriter, writeStatus } from './status.ts';

/** So many failures in a row, which take a few seconds, are no passing trouble. */
const PERSISTENT = 10;

/**
 * Says in the status that the pipeline's reconcile keeps failing. It is told once, and after as many failures again where
 * it is another by then: each write wakes the pipeline, and two failures by turns must not chase each other.
 * @param failures how often in a row it has failed now
 */
export async function tellFailure(
  key: PipelineKey,
  writer: StatusWriter,
  error: unknown,
  failures: number,
): Promise<void> {
  if (failures < PERSISTENT) return;
  const object: PipelineObject | undefined = await writer.client.get(refTo(key));
  if (!object || isPaused(object)) return;
  const isTold = tellsFailure(object.status?.conditions ?? [], object.metadata.generation);
  if (isTold && failures % PERSISTENT > 0) return;
  await writeStatus(writer, object, { whole: failureCheck(error) });
}

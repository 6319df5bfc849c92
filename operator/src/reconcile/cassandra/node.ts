import type { V1Pod } from '@kubernetes/client-node';
import { ApiError, isForbidden, NoAnswerError } from '../../kube/errors.ts';
import { objectName } from '../../specs/meta.ts';
import { isReady, ordinalOf } from '../../status/workloads.ts';
import type { Context } from '../step.ts';
import type { RingPod } from './ring.ts';

/** A node doesn't do what it was asked to, or can't be asked now. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
}

/** How something that takes long stands; `none` where it was never begun. */
export type Operation = { state: 'running' | 'done' | 'none' } | { state: 'failed'; why: string };

type Asked = Pick<Context, 'exec' | 'pipeline'>;

export function podName({ pipeline }: Pick<Context, 'pipeline'>, ordinal: number): string {
  return `${objectName(pipeline, 'cassandra')}-${ordinal}`;
}

/** The pods of the ring as far as they play a part in it. */
export function ringPods(pods: V1Pod[]): RingPod[] {
  return pods.map((pod) => ({
    ordinal: ordinalOf(pod),
    address: pod.status?.podIP,
    ready: isReady(pod) && !pod.metadata?.deletionTimestamp,
  }));
}

async function run({ exec, pipeline }: Asked, ordinal: number, script: string, args: string[]) {
  const pod = podName({ pipeline }, ordinal);
  const target = { namespace: pipeline.namespace, pod, container: 'cassandra' };
  const { code, stdout, stderr } = await exec(target, ['sh', `/etc/cassandra/${script}`, ...args]).catch(
    (error) => {
      if (isForbidden(error) || !(error instanceof ApiError || error instanceof NoAnswerError)) throw error;
      throw new NodeError(error.message, { cause: error });
    },
  );
  if (code !== 0)
    throw new NodeError(`${pod}: ${[script, ...args].join(' ')}: ${(stderr || stdout).trim().slice(-500)}`);
  return stdout;
}

/**
 * What a nodetool command that ends at once prints.
 * @throws {NodeError} where it fails, or the node can't be asked
 */
export function nodetool(asked: Asked, ordinal: number, ...command: string[]): Promise<string> {
  return run(asked, ordinal, 'nodetool.sh', command);
}

/**
 * How a nodetool command that takes long stands, which the node begins where `id` is new to it; without a command nothing
 * is begun.
 * @throws {NodeError} where the node can't be asked
 */
export async function operation(
  asked: Asked,
  ordinal: number,
  id: string,
  command: string[] = [],
): Promise<Operation> {
  const answer = await run(asked, ordinal, 'operation.sh', [id, ...command]);
  const [state, ...words] = answer.trim().split('\n');
  if (state === 'running' || state === 'done' || state === 'none') return { state };
  return { state: 'failed', why: words.join(' ').trim() };
}

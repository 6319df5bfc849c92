import { isNotServed } from '../kube/errors.ts';
import { kafkaObjects } from '../specs/kafka.ts';
import { type Check, notReady, READY, stuck } from '../status/check.ts';
import { accessTo } from './access.ts';
import { KAFKA } from './owned.ts';
import type { Context } from './step.ts';

type StrimziStatus = {
  status?: {
    observedGeneration?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
  metadata: { generation?: number };
};

/** Readiness as Strimzi tells it, of the generation that stands now. */
export function strimziCheck({ metadata, status }: StrimziStatus): Check {
  const current = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (current && ready?.status === 'True') return READY;
  const fault = status?.conditions?.find(
    ({ type, status: holds }) => type === 'NotReady' && holds === 'True',
  );
  if (fault) return notReady(fault.reason ?? 'NotReady', `Strimzi says: ${fault.message ?? 'not ready'}`);
  return notReady(
    'Starting',
    'Strimzi is making the Kafka cluster; if nothing happens, see whether its operator watches this namespace',
  );
}

/** A Kafka cluster run by Strimzi, or the credentials of an existing one: whether that answers, the workers tell. */
export async function kafka(context: Context): Promise<Check> {
  const { pipeline, cluster } = context;
  if (pipeline.spec.kafka.external) {
    const access = await accessTo(context, ['KAFKA']);
    if ('missing' in access) return access.missing;
    await cluster.ensureOnly('kafka', []);
    return READY;
  }
  try {
    await cluster.ensureOnly('kafka', kafkaObjects(pipeline));
    const live = await cluster.get<StrimziStatus>(KAFKA, pipeline.name);
    return live ? strimziCheck(live) : notReady('Creating', 'the Kafka cluster is being created');
  } catch (error) {
    if (!isNotServed(error)) throw error;
    return stuck(
      'StrimziMissing',
      'the kafka.strimzi.io/v1 kinds are not installed; install Strimzi 1.2 or use kafka.external',
    );
  }
}

import { isNotServed } from '../kube/errors.ts';
import { kafkaObjects } from '../specs/kafka.ts';
import { type Check, notReady, READY, stuck, worst } from '../status/check.ts';
import { type StrimziObject, strimziChecks } from '../status/strimzi.ts';
import { accessTo } from './access.ts';
import { KAFKA, KAFKA_NODE_POOL, KAFKA_TOPIC } from './owned.ts';
import type { Context } from './step.ts';

/** What Strimzi says of the pipeline's Kafka, its pools and its topics. */
async function strimziCheck({ pipeline, cluster }: Context): Promise<Check> {
  const live = await cluster.get<StrimziObject>(KAFKA, pipeline.name);
  if (!live) return notReady('Creating', 'the Kafka cluster is being created');
  const pools = await cluster.list<StrimziObject>(KAFKA_NODE_POOL, 'kafka');
  const topics = await cluster.list<StrimziObject>(KAFKA_TOPIC, 'kafka');
  return worst(strimziChecks(live, pools, topics));
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
    return await strimziCheck(context);
  } catch (error) {
    if (!isNotServed(error)) throw error;
    return stuck(
      'StrimziMissing',
      'the kafka.strimzi.io/v1 kinds are not installed; install Strimzi 1.2 or use kafka.external',
    );
  }
}

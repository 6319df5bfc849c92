import { createHash } from 'node:crypto';

/** What identifies a pipeline. */
export type PipelineKey = { namespace: string; name: string };

/**
 * A pipeline's SQL identifier of at most `max` characters. The hash keeps apart what folding `-` into `_`
 * and cutting would make equal.
 */
function identifier({ namespace, name }: PipelineKey, max: number): string {
  const hash = createHash('sha256').update(`${namespace}/${name}`).digest('hex').slice(0, 8);
  const readable = `usp_${namespace}_${name}`.replaceAll(/[^a-z0-9]/g, '_');
  return `${readable.slice(0, max - hash.length - 1)}_${hash}`;
}

/**
 * The names by which systems outside the namespace know a pipeline. Postgres takes 63 characters of
 * [a-z0-9_] for a slot, Kafka 249 of [a-zA-Z0-9._-] for a topic.
 */
export function outsideNames(key: PipelineKey, topic = `${key.namespace}.${key.name}.users`) {
  return {
    slot: identifier(key, 63),
    publication: identifier(key, 63),
    topic,
    deadLetterTopic: `${topic}.dead-letter`,
    registryTopic: `${topic}.registry`,
    subject: `${topic}-value`,
  };
}

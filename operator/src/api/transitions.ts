import { NUM_TOKENS } from './cassandra.ts';
import { quantityOf } from './parts.ts';
import type { STAGES_WITH_VOLUMES } from './status.ts';

/** A CEL rule at the schema's root, which sees the resource as it is (`oldSelf`) and as it shall be (`self`). */
export type Transition = { rule: string; message: string; fieldPath: string; reason: 'FieldValueForbidden' };

/**
 * Refuses a change unless `holds`. Until `status.dataSince` says that the stores can hold data, everything may be corrected.
 */
function onceThereIsData(path: string, holds: string, message: string): Transition {
  return {
    rule: `!has(self.status) || !has(self.status.dataSince) || ${holds}`,
    message: `once there is data, ${message}`,
    fieldPath: `.spec.${path}`,
    reason: 'FieldValueForbidden',
  };
}

/** `holds`, where the part is set before and after. */
const whereKept = (part: string, holds: string) =>
  `!has(self.spec.${part}) || !has(oldSelf.spec.${part}) || ${holds}`;

const unchanged = (path: string) => `self.spec.${path} == oldSelf.spec.${path}`;

const unchangedOrUnset = (path: string) =>
  `has(self.spec.${path}) == has(oldSelf.spec.${path}) && (!has(self.spec.${path}) || ${unchanged(path)})`;

function notExchanged(path: string, managed: string, why = 'the data would stay behind'): Transition {
  const holds = `has(self.spec.${path}.${managed}) == has(oldSelf.spec.${path}.${managed})`;
  const message = `${managed} and external can't be exchanged: ${why}; make a new pipeline`;
  return onceThereIsData(path, holds, message);
}

type Stage = (typeof STAGES_WITH_VOLUMES)[number];
type Volumes = [stage: Stage | undefined, part: string, storage: string];

/** The stages that have volumes of the operator's, their parts, which may be left out, and where in each its storage is. */
const VOLUMES: Volumes[] = [
  ['Postgres', 'postgres.managed', 'storage'],
  [undefined, 'kafka.strimzi', 'controllers.storage'],
  [undefined, 'kafka.strimzi', 'brokers.storage'],
  ['Spark', 'spark.checkpoint', 'storage'],
  ['Cassandra', 'cassandra.managed', 'storage'],
];

/** A size that a volume could not follow may be set back to what the volume has. */
const setBack = (stage: Stage, size: string) =>
  ` || has(self.status.volumes) && self.status.volumes.exists(v, v.stage == '${stage}' && ${quantityOf(`self.spec.${size}`)}.compareTo(${quantityOf('v.size')}) >= 0)`;

function volumeTransitions([stage, part, storage]: Volumes): Transition[] {
  const [size, className] = [`${part}.${storage}.size`, `${part}.${storage}.className`];
  const [after, before] = ['self', 'oldSelf'].map((object) => quantityOf(`${object}.spec.${size}`));
  return [
    onceThereIsData(
      size,
      whereKept(part, `${after}.compareTo(${before}) >= 0${stage ? setBack(stage, size) : ''}`),
      "a volume can grow, not shrink: what it holds wouldn't fit; make a new pipeline",
    ),
    onceThereIsData(
      className,
      whereKept(part, unchangedOrUnset(className)),
      "a volume's class can't be changed: its data would stay behind; make a new pipeline",
    ),
  ];
}

const IMAGE = 'postgres.managed.image';

/** The first number of the tag: 16 of `registry:5000/postgres:16.4@sha256:…`; nothing of a tag such as `latest`. */
const majorVersion = (object: string) =>
  `${object}.spec.${IMAGE}.split('@')[0].find(':[0-9]+[^/]*$').find('[0-9]+')`;

function samePostgresVersion(): Transition {
  const [after, before] = [majorVersion('self'), majorVersion('oldSelf')];
  const same = `${after} == '' || ${before} == '' || ${after} == ${before}`;
  return onceThereIsData(
    IMAGE,
    whereKept('postgres.managed', whereKept(IMAGE, same)),
    "Postgres can't run on the data of another major version; dump it and restore it into a new pipeline, or use postgres.external",
  );
}

/** Settings of the tokens that a node takes when it joins; later Cassandra doesn't start with another number of them. */
const TOKEN_SETTINGS: [name: string, unset: string][] = [
  ['num_tokens', NUM_TOKENS],
  ['initial_token', ''],
];

function tokensKept([name, unset]: [string, string]): Transition {
  const config = 'cassandra.managed.config';
  const [after, before] = ['self', 'oldSelf'].map((object) => {
    const settings = `${object}.spec.${config}`;
    return `('${name}' in ${settings} ? ${settings}['${name}'] : '${unset}')`;
  });
  return onceThereIsData(
    config,
    whereKept('cassandra.managed', `${after} == ${before}`),
    `${name} can't be changed: nodes took their tokens when they joined, and don't start with another number of them; make a new pipeline`,
  );
}

const NEW_NAME =
  "can't be changed: the users that stand under the old name would be missing; make a new pipeline";

/** What is refused once there is data, each with the reason and the way round. */
export const TRANSITIONS: Transition[] = [
  notExchanged('postgres', 'managed'),
  notExchanged('kafka', 'strimzi'),
  notExchanged('cassandra', 'managed'),
  notExchanged(
    'schemaRegistry',
    'managed',
    'the records in the topic carry ids of schemas that only the old one knows',
  ),
  onceThereIsData(
    'fields',
    'self.spec.fields.all(f, oldSelf.spec.fields.all(old, old.name != f.name || old.type == f.type))',
    "the type of a field can't be changed: its columns and the records in the topic have the old one; give the values of the new type another name",
  ),
  ...VOLUMES.flatMap(volumeTransitions),
  samePostgresVersion(),
  onceThereIsData('cassandra.keyspace', unchanged('cassandra.keyspace'), `the keyspace ${NEW_NAME}`),
  onceThereIsData('cassandra.table', unchanged('cassandra.table'), `the table ${NEW_NAME}`),
  ...TOKEN_SETTINGS.map(tokensKept),
  onceThereIsData('kafka.topic.name', unchangedOrUnset('kafka.topic.name'), `the topic ${NEW_NAME}`),
  onceThereIsData(
    'kafka.topic.replicas',
    unchanged('kafka.topic.replicas'),
    "topic.replicas can't be changed: it would move every record; reassign the partitions with Kafka's own tool, or make a new pipeline",
  ),
  onceThereIsData(
    'kafka.topic.partitions',
    'self.spec.kafka.topic.partitions >= oldSelf.spec.kafka.topic.partitions',
    'partitions can be added, never taken away: their records would be lost; make a new pipeline',
  ),
  onceThereIsData(
    'kafka.topic.partitions',
    "self.spec.kafka.topic.partitions <= oldSelf.spec.kafka.topic.partitions || 'delete' in self.spec.kafka.topic.cleanup",
    'partitions are added only with delete in kafka.topic.cleanup: the last record of a user who then goes on in another partition would stay in the former one for ever; set it beside compact, for as long as kafka.topic.retention lasts',
  ),
  onceThereIsData(
    'kafka.strimzi.controllers.replicas',
    whereKept('kafka.strimzi', unchanged('kafka.strimzi.controllers.replicas')),
    "the number of controllers can't be changed: Strimzi runs them as a static quorum; make a new pipeline",
  ),
  onceThereIsData(
    'spark.checkpoint.uri',
    unchangedOrUnset('spark.checkpoint.uri'),
    "the checkpoint can't be moved: Spark would begin anew; make a new pipeline",
  ),
];

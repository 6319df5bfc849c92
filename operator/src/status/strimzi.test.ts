import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Check, worst } from './check.ts';
import { type StrimziObject, strimziChecks } from './strimzi.ts';

type Conditions = NonNullable<NonNullable<StrimziObject['status']>['conditions']>;

const object = (name: string, conditions: Conditions, observedGeneration = 2): StrimziObject => ({
  metadata: { name, generation: 2 },
  status: { observedGeneration, conditions },
});
const READY = { type: 'Ready', status: 'True' };
const warning = (reason: string, message: string) => ({ type: 'Warning', status: 'True', reason, message });
const refusedStorage = warning('KafkaStorage', 'the changes are not allowed');
const timeout = { type: 'NotReady', status: 'True', reason: 'TimeoutException', message: 'no pod' };
const unready = (reason: string, message: string) => ({ type: 'Ready', status: 'False', reason, message });

type Case = {
  name: string;
  kafka: StrimziObject;
  pools?: StrimziObject[];
  topics?: StrimziObject[];
  ready: boolean;
  says: RegExp;
  stuck?: boolean;
  holds?: boolean;
};

const kafka = object('users', [READY]);
const cases: Case[] = [
  { name: 'that all is well', kafka, topics: [object('a', [READY])], ready: true, says: /^$/ },
  {
    name: 'nothing of this generation yet',
    kafka: object('users', [READY], 1),
    ready: false,
    says: /^Starting /,
  },
  {
    name: 'that it is not ready',
    kafka: object('users', [timeout]),
    ready: false,
    says: /^TimeoutException Strimzi says: no pod/,
    holds: true,
  },
  {
    name: 'a warning beside Ready',
    kafka: object('users', [warning('PvcResizingWarning', 'no resizing'), READY]),
    ready: true,
    says: /^PvcResizingWarning Strimzi warns: no resizing$/,
  },
  {
    name: 'a warning of another generation',
    kafka,
    pools: [object('brokers', [refusedStorage], 1)],
    ready: true,
    says: /^$/,
  },
  {
    name: 'that it ignores the storage, in the pool and in the Kafka',
    kafka: object('users', [refusedStorage, READY]),
    pools: [object('brokers', [refusedStorage])],
    ready: false,
    says: /^KafkaStorage Strimzi warns: the changes are not allowed; set the storage .* back/,
    stuck: true,
    holds: false,
  },
  {
    name: 'that it ignores the storage while its pods can’t start',
    kafka: object('users', [timeout]),
    pools: [object('brokers', [warning('Other', 'first'), refusedStorage])],
    ready: false,
    says: /^KafkaStorage Strimzi warns: first; the changes are not allowed; .*delete the pipeline/,
    stuck: true,
    holds: true,
  },
  {
    name: 'that a topic can’t be as it is wanted',
    kafka,
    topics: [object('a', [READY]), object('b', [unready('NotSupported', 'Decreasing partitions')])],
    ready: false,
    says: /^TopicChangeRefused .*KafkaTopic b: Decreasing partitions; set kafka.topic back, or delete/,
    stuck: true,
    holds: false,
  },
  {
    name: 'that a topic isn’t made yet',
    kafka,
    topics: [object('a', [unready('KafkaError', 'no broker')])],
    ready: false,
    says: /^KafkaError Strimzi says of KafkaTopic a: no broker/,
    stuck: false,
    holds: true,
  },
];

const text = ({ reason, message }: Check) => (reason ? `${reason} ${message}` : '');

describe('what Strimzi says', () => {
  for (const { name, kafka, pools = [], topics = [], ready, says, ...expected } of cases)
    test(name, () => {
      const check = worst(strimziChecks(kafka, pools, topics));
      assert.equal(check.ready, ready);
      assert.match(text(check), says);
      const { stuck = false, holds = true } = check.ready ? {} : check;
      assert.equal(stuck, expected.stuck ?? false);
      if (!ready) assert.equal(holds, expected.holds ?? true);
    });
});

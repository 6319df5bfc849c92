import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { ConfigError } from './config.ts';
import { StageError } from './health.ts';
import { kafkaClient } from './kafka.ts';
import { isTooLarge, kafkaError } from './kafka-errors.ts';

const section = {
  bootstrapServers: ['kafka:9092'],
  tls: true,
  compression: 'gzip' as const,
  topic: 'users',
  deadLetterTopic: 'dead',
};
const wrapped = (cause: object) => Object.assign(new Error('retries exceeded'), { cause });

describe('an error of kafkajs', () => {
  const reasons: [string, object, string][] = [
    ['a broker that is away', { name: 'KafkaJSConnectionError' }, 'BrokerUnreachable'],
    ['a topic that is missing', { type: 'UNKNOWN_TOPIC_OR_PARTITION' }, 'TopicMissing'],
    ['a wrong password', { name: 'KafkaJSSASLAuthenticationError' }, 'KafkaAccessDenied'],
    ['too few replicas', { type: 'NOT_ENOUGH_REPLICAS' }, 'NotEnoughReplicas'],
    ['anything else', { type: 'STRANGE' }, 'KafkaError'],
  ];
  for (const [what, fields, reason] of reasons) {
    test(`${what} is told as ${reason}, however deep it is wrapped`, () => {
      const error = kafkaError(section, wrapped(Object.assign(new Error('said'), fields)));
      assert.deepEqual([error.stage, error.reason], ['Kafka', reason]);
      assert.match(error.message, /kafka:9092: said; /);
    });
  }

  test('about a topic that the cluster does not allow names what can be lowered', () => {
    const refused = Object.assign(new Error('said'), { type: 'POLICY_VIOLATION' });
    const { reason, message } = kafkaError(section, Object.assign(new Error('all'), { errors: [refused] }));
    assert.equal(reason, 'TopicRefused');
    assert.match(message, /said; .*kafka\.topic\.maxMessageBytes/);
  });

  test('that was explained already stays as it is', () => {
    const error = new StageError('Kafka', 'Known', 'known');
    assert.equal(kafkaError(section, error), error);
  });

  test('about size is known as such', () => {
    assert.ok(isTooLarge(Object.assign(new Error(), { type: 'MESSAGE_TOO_LARGE' })));
    assert.ok(!isTooLarge(new Error('away')));
  });
});

test('a SASL mechanism without credentials is a fault of the configuration', () => {
  const log = pino({ enabled: false });
  const sasl = { ...section, saslMechanism: 'plain' as const };
  assert.throws(() => kafkaClient(sasl, undefined, undefined, log), ConfigError);
});

import { z } from 'zod';
import { exactlyOne, resources, secretRef, storage, tls } from './parts.ts';
import { atLeastFor, duration, integer, settings, text } from './scalars.ts';

const topic = z
  .object({
    name: z
      .string()
      .max(200)
      .regex(/^[a-zA-Z0-9._-]+$/)
      .optional()
      .meta({
        description: 'Name of the topic; NAMESPACE.NAME.users where it is left out.',
      }),
    partitions: integer('Partitions; they can be added, never taken away.', 1, 1000).default(6),
    replicas: integer('Copies of each partition, on as many brokers.', 1, 9).default(3),
    retention: duration(
      'How long a record is kept.',
      atLeastFor('1h', 'a record that goes before Spark has read it is missing in Cassandra'),
    ).default('168h'),
    // More than Cassandra takes in one write, 16 MiB: what is a user there passes Kafka as well. Kafka's own is 1 MiB.
    maxMessageBytes: integer(
      "Bytes that a record may have, max.message.bytes of this topic and the dead letters'; lower it where an existing Kafka allows no more. Larger users become dead letters.",
      1_000_000,
      20 * 2 ** 20,
    ).default(20 * 2 ** 20),
    cleanup: z
      .array(z.enum(['compact', 'delete']).meta({ description: "One of Kafka's clean-up policies." }))
      .min(1)
      .max(2)
      .default(['compact', 'delete'])
      // Not a set: who applied one policy could not get rid of the other, which is the default's.
      .meta({
        description: 'Clean-up policies of the topic.',
        'x-kubernetes-list-type': 'atomic',
        'x-kubernetes-validations': [
          {
            rule: 'size(self) < 2 || self[0] != self[1]',
            message: 'cleanup must not name a policy twice',
          },
        ],
      }),
  })
  .prefault({})
  .meta({
    description: 'The topic that carries the users.',
    'x-kubernetes-validations': [
      {
        rule: "!has(self.name) || !(self.name in ['.', '..'])",
        fieldPath: '.name',
        message: 'name must not be . or .., which Kafka takes for no topic',
      },
    ],
  });

const strimzi = z
  .object({
    version: text("Kafka's version; Strimzi's default where it is left out.", 32).optional(),
    controllers: z
      .object({
        replicas: integer(
          'How many KRaft controllers there are, for good: Strimzi runs them as a static quorum.',
          1,
          9,
        ).default(3),
        storage: storage('1Gi'),
        resources: resources({ cpu: '100m', memory: '512Mi' }, { memory: '1Gi' }),
      })
      .prefault({})
      .meta({ description: 'The pool of KRaft controllers.' }),
    brokers: z
      .object({
        replicas: integer('How many brokers there are.', 1, 100).default(3),
        storage: storage('20Gi'),
        resources: resources({ cpu: '250m', memory: '1Gi' }, { memory: '2Gi' }),
      })
      .prefault({})
      .meta({ description: 'The pool of brokers.' }),
    config: settings("The brokers' own settings, as in auto.create.topics.enable."),
  })
  .meta({
    description:
      'A Kafka cluster of the pipeline’s own, run by the Strimzi operator, which must be installed.',
  });

const external = z
  .object({
    bootstrapServers: text('Brokers to begin with: host:port, separated by commas.', 2048).meta({
      'x-kubernetes-validations': [
        {
          rule: "self.matches('^\\\\s*[^,/\\\\s]+:[0-9]{1,5}(\\\\s*,\\\\s*[^,/\\\\s]+:[0-9]{1,5})*\\\\s*$')",
          message: 'must be host:port, separated by commas, as in one:9092,two:9092',
        },
      ],
    }),
    tls,
    authentication: z
      .object({
        type: z
          .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
          .meta({ description: 'The SASL mechanism.' }),
        secretRef: secretRef(
          'A Secret with username and password; with a managed registry, whose configuration quotes them, without ", \\ and ${.',
        ),
      })
      .optional()
      .meta({ description: 'How clients prove who they are; left out: not at all.' }),
  })
  .meta({ description: 'An existing Kafka cluster.' });

export const kafka = z.object({ topic, strimzi: strimzi.optional(), external: external.optional() }).meta({
  description: 'The log that carries the users: a Kafka run by Strimzi or an existing one.',
  'x-kubernetes-validations': [
    exactlyOne('strimzi', 'external'),
    {
      rule: '!has(self.strimzi) || self.topic.replicas <= self.strimzi.brokers.replicas',
      fieldPath: '.topic.replicas',
      message:
        'topic.replicas must not exceed strimzi.brokers.replicas: each copy of a partition needs a broker of its own; add brokers or ask for fewer copies',
    },
  ],
});

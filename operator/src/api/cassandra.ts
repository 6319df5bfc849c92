import { z } from 'zod';
import { ATOMIC, exactlyOne, resources, secretRef, storage, tls } from './parts.ts';
import { atLeastFor, identifier, image, integer, interval, settings, text } from './scalars.ts';

/** Settings of cassandra.yaml that the operator itself must set, or nodes would not find each other. */
export const RESERVED_SETTINGS = [
  'cluster_name',
  'seed_provider',
  'listen_address',
  'listen_interface',
  'broadcast_address',
  'rpc_address',
  'rpc_interface',
  'broadcast_rpc_address',
  'native_transport_port',
  'storage_port',
  'endpoint_snitch',
  'partitioner',
  'data_file_directories',
  'commitlog_directory',
  'saved_caches_directory',
  'hints_directory',
  'cdc_raw_directory',
];

/** Tokens of a node whose ring's config sets no `num_tokens`. */
export const NUM_TOKENS = '16';

const managed = z
  .object({
    image: image(
      "Image with Cassandra 5.0 in /opt/cassandra; the operator's own choice where it is left out.",
    ).optional(),
    replicas: integer(
      'Nodes of the ring; they join one at a time, and leave one at a time once their data has streamed away.',
      1,
      100,
    ).default(3),
    storage: storage('20Gi'),
    resources: resources({ cpu: '100m', memory: '2Gi' }, { memory: '4Gi' }),
    config: settings('Settings of cassandra.yaml, by their names there.'),
    repair: z
      .object({
        interval: interval(
          'How often the ranges of each node are repaired.',
          atLeastFor('1h', 'a repair reads all that a node holds'),
        ).default('168h'),
      })
      .prefault({})
      .meta({ description: 'Regular repair of the keyspace, one node at a time.' }),
  })
  .meta({
    description: 'A Cassandra ring of the pipeline’s own.',
    'x-kubernetes-validations': [
      {
        rule: `!self.config.exists(name, name in ${JSON.stringify(RESERVED_SETTINGS)})`,
        fieldPath: '.config',
        message: `config must not set what the operator sets: ${RESERVED_SETTINGS.join(', ')}`,
      },
    ],
  });

const external = z
  .object({
    contactPoints: z
      .array(text('Host name or address of a node.', 253))
      .min(1)
      .max(20)
      .meta({ description: 'Nodes to begin with.', 'x-kubernetes-list-type': 'set' }),
    port: integer('Port of its native protocol (CQL).', 1, 65535).default(9042),
    localDatacenter: text('Datacenter to write to.', 128),
    tls,
    secretRef: secretRef(
      'A Secret with username and password of a role that may create the keyspace.',
    ).optional(),
  })
  .meta({ description: 'An existing Cassandra ring.' });

export const cassandra = z
  .object({
    keyspace: identifier('Keyspace of the table.').default('userstream'),
    table: identifier('Table that holds the users.').default('users'),
    replicationFactor: integer(
      'Copies of each row, on as many nodes. More copies are filled by a repair.',
      1,
      9,
    ).default(3),
    managed: managed.optional(),
    external: external.optional(),
  })
  .default({ keyspace: 'userstream', table: 'users', replicationFactor: 3, managed: managed.parse({}) })
  .meta({
    description: 'Where the users stand to be queried: a managed Cassandra ring or an existing one.',
    ...ATOMIC,
    'x-kubernetes-validations': [
      exactlyOne('managed', 'external'),
      {
        rule: "!has(self.keyspace) || !self.keyspace.matches('^system(_|$)')",
        fieldPath: '.keyspace',
        message: "keyspace must not be one of Cassandra's own: system and what begins with system_",
      },
      {
        rule: '!has(self.managed) || self.replicationFactor <= self.managed.replicas',
        fieldPath: '.replicationFactor',
        message:
          'replicationFactor must not exceed managed.replicas: each copy of a row needs a node of its own; lower replicationFactor first, or keep as many nodes',
      },
    ],
  });

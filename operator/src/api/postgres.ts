import { z } from 'zod';
import {
  ATOMIC,
  atLeast,
  exactlyOne,
  lacks,
  quantityOf,
  resources,
  secretRef,
  storage,
  tls,
} from './parts.ts';
import { image, integer, quantity, text } from './scalars.ts';

/** What a volume must have beside the WAL that is kept: for the users, and for WAL on its way to the next checkpoint. */
export const BESIDE_KEPT_WAL = '512Mi';

/** Postgres gives a slot up for its size, never for the room on the volume: a full volume would end Postgres first. */
const roomForWal = {
  rule: `${lacks('storage.size')} || ${lacks('maxSlotWalKeepSize')} || ${quantityOf('self.storage.size')}.compareTo(${quantityOf('self.maxSlotWalKeepSize')}.add(quantity('${BESIDE_KEPT_WAL}'))) >= 0`,
  fieldPath: '.maxSlotWalKeepSize',
  message: `maxSlotWalKeepSize must leave ${BESIDE_KEPT_WAL} of storage.size: with Kafka away the volume would be full, and Postgres down, before the slot is given up; lower maxSlotWalKeepSize or raise storage.size`,
};

const managed = z
  .object({
    image: image(
      "Image to run, with Postgres 15 or newer in its PATH; the operator's own choice where it is left out.",
    ).optional(),
    storage: storage('10Gi'),
    resources: resources({ cpu: '50m', memory: '256Mi' }, { memory: '1Gi' }),
    maxSlotWalKeepSize: quantity(
      'WAL kept for a relay that has stopped; past it the slot is lost and taken up by a new snapshot.',
    ).default('2Gi'),
  })
  .meta({
    description: 'A Postgres of the pipeline’s own: one primary on a persistent volume.',
    'x-kubernetes-validations': [
      atLeast('maxSlotWalKeepSize', '64Mi', 'Postgres writes WAL in files of 16Mi, and would lose the slot'),
      roomForWal,
    ],
  });

const external = z
  .object({
    host: text('Host name or address.', 253),
    port: integer('Port that it listens on.', 1, 65535).default(5432),
    database: text('Database that holds the users; it must exist.', 63).default('userstream'),
    tls,
    secretRef: secretRef(
      'A Secret with username and password of a role that owns the database and has REPLICATION.',
    ),
  })
  .meta({ description: 'An existing Postgres 15 or newer with wal_level=logical.' });

export const postgres = z
  .object({ managed: managed.optional(), external: external.optional() })
  .default({ managed: managed.parse({}) })
  .meta({
    description: 'Where the users are kept: a managed Postgres or an existing one.',
    ...ATOMIC,
    'x-kubernetes-validations': [exactlyOne('managed', 'external')],
  });

import { z } from 'zod';
import { resources, secretRef } from './parts.ts';
import { integer, interval } from './scalars.ts';

export const audit = z
  .object({
    interval: interval('Time between the starts of two comparisons.').default('5m'),
    usersPerSecond: integer('Users that are read from each store in a second at most.', 1, 1_000_000).default(
      10_000,
    ),
    resources: resources({ cpu: '20m', memory: '128Mi' }, { memory: '512Mi' }),
    postgresSecretRef: secretRef(
      'With postgres.external: a Secret with username and password of a role that may read the table users; that of postgres.external where it is left out.',
    ).optional(),
    cassandraSecretRef: secretRef(
      'With cassandra.external: a Secret with username and password of a role that may read the table; that of cassandra.external where it is left out.',
    ).optional(),
  })
  .prefault({})
  .meta({
    description: 'The worker that compares Postgres with Cassandra, and tells by the condition DataIntact.',
  });

/** The CEL rule that an audit's Secret is named only for a system that is not managed. */
function onlyExternal(system: 'postgres' | 'cassandra') {
  return {
    rule: `!has(self.audit.${system}SecretRef) || has(self.${system}.external)`,
    fieldPath: `.audit.${system}SecretRef`,
    message: `audit.${system}SecretRef is of use only with ${system}.external: in a managed system the audit has a role of its own; leave it out`,
  };
}

export const AUDIT_RULES = [onlyExternal('postgres'), onlyExternal('cassandra')];

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errors } from 'cassandra-driver';
import { cassandraError, isAuthenticationError } from './cassandra.ts';

const section = {
  contactPoints: ['ring'],
  port: 9042,
  localDatacenter: 'dc1',
  tls: false,
  keyspace: 'users',
  table: 'users',
  replicationFactor: 3,
};
const refused = (message: string) =>
  new errors.NoHostAvailableError({ 'ring:9042': new errors.AuthenticationError(message) });

describe('an error at the login to Cassandra', () => {
  test('about the password is CassandraAccessDenied', () => {
    const error = refused('Provided username userstream and/or password are incorrect');
    assert.ok(isAuthenticationError(error));
    const { reason, message } = cassandraError(section, error);
    assert.equal(reason, 'CassandraAccessDenied');
    assert.match(message, /userstream.*changed in the Secret alone must be changed back/);
  });

  test('of a ring that is still growing is no word about the password', () => {
    const error = refused('Unable to perform authentication: Cannot achieve consistency level QUORUM');
    assert.ok(!isAuthenticationError(error));
    const { reason, message } = cassandraError(section, error);
    assert.equal(reason, 'NotEnoughReplicas');
    assert.match(message, /waits for more nodes of the ring/);
  });

  test('with no node there is CassandraUnreachable', () => {
    const error = new errors.NoHostAvailableError({ 'ring:9042': new Error('connect ECONNREFUSED') });
    assert.equal(cassandraError(section, error).reason, 'CassandraUnreachable');
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { postgresClient, postgresError } from './postgres.ts';

const section = {
  host: 'db',
  port: 5432,
  database: 'userstream',
  tls: true,
  publication: 'userstream',
  slot: 'userstream',
};

test('with tls the certificate is verified, against the given authority if there is one', () => {
  assert.deepEqual(postgresClient(section, undefined, 'PEM').ssl, { rejectUnauthorized: true, ca: 'PEM' });
  assert.deepEqual(postgresClient(section, undefined).ssl, { rejectUnauthorized: true });
  assert.equal(postgresClient({ ...section, tls: false }, undefined).ssl, false);
});

describe('an error is told by its reason:', () => {
  const cases: [code: string | undefined, reason: string][] = [
    [undefined, 'PostgresUnreachable'],
    ['ECONNREFUSED', 'PostgresUnreachable'],
    ['57P03', 'PostgresUnreachable'],
    ['28P01', 'PostgresAccessDenied'],
    ['42P01', 'PostgresNotProvisioned'],
    ['53100', 'PostgresOutOfResources'],
    ['25006', 'PostgresReadOnly'],
    ['22P02', 'PostgresError'],
  ];
  for (const [code, reason] of cases) {
    test(`${code ?? 'no code'} is ${reason}`, () => {
      const error = postgresError(section, Object.assign(new Error('it said so'), { code }));
      assert.deepEqual([error.stage, error.reason], ['Postgres', reason]);
      assert.match(error.message, /^Postgres at db:5432\/userstream: it said so.*; \w+/);
    });
  }
});

test('a name whose addresses all fail is told with each address’ error', () => {
  const error = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('127.0.0.1:1')], '');
  assert.match(postgresError(section, error).message, /ECONNREFUSED ::1:1, 127\.0\.0\.1:1/);
});

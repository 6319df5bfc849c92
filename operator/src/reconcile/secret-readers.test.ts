import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretReaders } from './secret-readers.ts';

test('a Secret concerns those that have read it, until they are gone', () => {
  const readers = new SecretReaders();
  readers.add('team/db', 'team/users');
  readers.add('team/db', 'team/users');
  readers.add('team/db', 'team/people');
  readers.add('team/broker', 'team/users');
  assert.deepEqual([...readers.of('team/db')], ['team/users', 'team/people']);
  readers.remove('team/users');
  assert.deepEqual([...readers.of('team/db')], ['team/people']);
  assert.deepEqual([...readers.of('team/broker')], []);
});

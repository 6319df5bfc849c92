import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { User } from '../../workers/lib/user.ts';
import { byId, differences } from './users.ts';

const user = (id: string, email: string | null): User => ({
  id,
  first_name: null,
  last_name: null,
  gender: null,
  address: null,
  post_code: null,
  email,
  username: null,
  dob: null,
  registered_date: null,
  phone: null,
  picture: null,
  nationality: null,
});

const cases: { name: string; expected: User[]; actual: User[]; told: string[] }[] = [
  { name: 'equal stages have no difference', expected: [user('a', 'x')], actual: [user('a', 'x')], told: [] },
  { name: 'a lost user is told', expected: [user('a', 'x')], actual: [], told: ['a: missing'] },
  { name: 'an invented user is told', expected: [], actual: [user('a', 'x')], told: ['a: not expected'] },
  {
    name: 'a changed field is told with both values',
    expected: [user('a', 'x')],
    actual: [user('a', null)],
    told: ['a: email: null instead of "x"'],
  },
];

describe('differences', () => {
  for (const { name, expected, actual, told } of cases) {
    test(name, () => assert.deepEqual(differences(byId(expected), byId(actual)), told));
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import { faultsOf, type Present } from './users-table.ts';

const TYPES = { uuid: 'uuid', text: 'text', timestamp: 'timestamp with time zone' };
const columns = Object.entries(USER_COLUMNS).map(([name, type]) => ({
  name,
  type: TYPES[type],
  mandatory: name === 'id',
}));
const fitting: Present = { ours: false, kind: 'r', key: ['id'], columns };
const without = (name: string) => columns.filter((column) => column.name !== name);

describe('a table users that is there already', () => {
  const cases: [what: string, present: Present, faults: string[]][] = [
    ['fits with the columns and the key of a user', fitting, []],
    [
      'may have columns of its own',
      { ...fitting, columns: [...columns, { name: 'note', type: 'text', mandatory: false }] },
      [],
    ],
    [
      'of a pipeline is given the columns that it lacks',
      { ...fitting, ours: true, columns: without('phone') },
      [],
    ],
    [
      'of somebody else isn’t',
      { ...fitting, columns: without('phone') },
      ['it lacks column phone of type text'],
    ],
    [
      'must have our types',
      { ...fitting, columns: [...without('dob'), { name: 'dob', type: 'date', mandatory: false }] },
      ['column dob is of type date, not timestamp with time zone'],
    ],
    ['must have our key', { ...fitting, key: ['id', 'email'] }, ['its primary key is not id']],
    [
      'must take a user without more',
      { ...fitting, columns: [...columns, { name: 'tenant', type: 'text', mandatory: true }] },
      ['column tenant is NOT NULL without a default'],
    ],
    ['must be a table', { ...fitting, kind: 'v' }, ['it is not a plain table']],
  ];
  for (const [what, present, faults] of cases) {
    test(what, () => assert.deepEqual(faultsOf(present, USER_COLUMNS), faults));
  }
});

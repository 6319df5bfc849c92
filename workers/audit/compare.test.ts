import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { project, type Sides } from './compare.ts';
import { LONGEST_BODY, type Shape } from './driver.ts';
import type { User } from './users.ts';

const SHAPE: Shape = { view: [], columns: [] };

function user(id: string, line: string | null = JSON.stringify({ id })): User {
  return { id, version: '1', line };
}

/** What `project` makes of `users`, and how many lines the driver got each time. */
async function projected(users: User[], shape = SHAPE) {
  const asked: number[] = [];
  const driver: Sides['driver'] = {
    project: async (lines) => {
      asked.push(lines.length);
      return { ...shape, rows: lines.map((line) => ({ id: JSON.parse(line.trim()).id, values: [] })) };
    },
  };
  return { rows: await project({ driver, shape: SHAPE } as Sides, users), asked };
}

describe('what the SQL makes of users', () => {
  test('one that is too long to be sent is told, beside the others', async () => {
    const { rows, asked } = await projected([user('a'), user('b', null), user('c')]);
    assert.deepEqual(new Map(rows.map(({ id, fault }) => [id, fault])).get('b'), 'oversized');
    assert.deepEqual(rows.map(({ id }) => id).sort(), ['a', 'b', 'c']);
    assert.deepEqual(asked, [2]);
  });

  test('no more is sent at once than the driver takes', async () => {
    const long = (id: string, bytes: number) => user(id, JSON.stringify({ id }).padEnd(bytes));
    const { rows, asked } = await projected([user('a'), long('b', LONGEST_BODY), user('c'), user('d')]);
    assert.deepEqual(asked, [1, 1, 2]);
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['a', 'b', 'c', 'd'],
    );
  });

  test('nothing is asked of nobody', async () => assert.deepEqual((await projected([])).asked, []));

  test('a changed SQL begins the audit anew', () =>
    assert.rejects(projected([user('a')], { view: [], columns: [['n', 'int']] }), { reason: 'SqlChanged' }));
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { columnsOfSchema, userSchema } from './avro.ts';
import { type Columns, userColumns } from './columns.ts';
import { USER_COLUMNS } from './user.ts';

describe('the Avro schema of a user', () => {
  test('lets every field but the id be null, null first, so that fields can be added', () => {
    const [id, ...others] = userSchema(USER_COLUMNS).fields;
    assert.deepEqual(id, { name: 'id', type: { type: 'string', logicalType: 'uuid' } });
    assert.ok(others.every((field) => Array.isArray(field.type) && field.type[0] === 'null'));
  });

  test('tells its columns again, in their order', () => {
    const more: Columns = {
      cell: 'text',
      seen: 'timestamp',
      age: 'bigint',
      latitude: 'double',
      active: 'boolean',
    };
    const columns = userColumns(more);
    const told = columnsOfSchema(JSON.parse(JSON.stringify(userSchema(columns))));
    assert.deepEqual(Object.entries(told ?? {}), Object.entries(columns));
  });

  const others: [what: string, schema: unknown][] = [
    ['is no record', 'string'],
    ['has a field of another type', { fields: [{ name: 'tags', type: { type: 'array', items: 'string' } }] }],
  ];
  for (const [what, schema] of others) {
    test(`tells none where it ${what}`, () => assert.equal(columnsOfSchema(schema), undefined));
  }
});

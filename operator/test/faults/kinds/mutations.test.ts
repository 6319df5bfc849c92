import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { customResourceDefinition } from '../../../src/crd/definition.ts';
import type { JsonSchema } from '../../../src/crd/structural.ts';
import { BASES } from '../specs.ts';
import { isLeaf, mutated, mutations, properties, valueAt } from './mutations.ts';

const root = customResourceDefinition().spec.versions[0]?.schema.openAPIV3Schema as JsonSchema;
const all = properties((root['properties'] as Record<string, JsonSchema>)['spec'] ?? {});

describe('mutations', () => {
  test('change every property that holds a value', () => {
    const unchanged = all.filter(isLeaf).filter((property) => {
      const { default: now } = property.schema;
      return !mutations(property, now).some(({ how }) => how === 'changed');
    });
    assert.deepEqual(
      unchanged.map(({ path }) => path.join('.')),
      [],
    );
  });

  const cases: { name: string; schema: JsonSchema; now: unknown; value: unknown }[] = [
    { name: 'a number to the next one', schema: { type: 'integer', maximum: 9 }, now: 4, value: 5 },
    { name: 'a number past its bound', schema: { type: 'integer', maximum: 9 }, now: 4, value: 10 },
    { name: 'a choice to another', schema: { type: 'string', enum: ['a', 'b'] }, now: 'a', value: 'b' },
    {
      name: 'a text to one that fits',
      schema: { type: 'string', pattern: '^[0-9]+m$' },
      now: '1m',
      value: '11m',
    },
    { name: 'a text past its length', schema: { type: 'string', maxLength: 2 }, now: 'a', value: 'xxx' },
    { name: 'a given value to none', schema: { type: 'boolean' }, now: true, value: undefined },
    {
      name: 'a list of objects to one more of what each must have',
      schema: {
        type: 'array',
        items: {
          type: 'object',
          required: ['a'],
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
      },
      now: [{ a: 'x', b: 'y' }],
      value: [{ a: 'x', b: 'y' }, { a: 'changed' }],
    },
  ];
  for (const { name, schema, now, value } of cases) {
    test(name, () => {
      const values = mutations({ path: ['x'], schema }, now).map((each) => each.value);
      assert.ok(values.some((each) => isDeepStrictEqual(each, value)));
    });
  }

  test('are done where the way does not stand yet, and beside what does', () => {
    const spec = { kafka: { topic: { partitions: 1 } } };
    const changed = mutated(spec, { path: ['kafka', 'topic', 'replicas'], how: '', value: 2 });
    assert.deepEqual(changed, { kafka: { topic: { partitions: 1, replicas: 2 } } });
    const made = mutated(spec, { path: ['spark', 'sql'], how: '', value: 'SELECT 1' });
    assert.deepEqual(made, { ...spec, spark: { sql: 'SELECT 1' } });
    assert.deepEqual(mutated(spec, { path: ['kafka'], how: '', value: undefined }), {});
  });

  test('are done in what a list holds', () => {
    const spec = { fields: [{ name: 'a', path: 'a' }, { name: 'b' }] };
    const renamed = mutated(spec, { path: ['fields', '0', 'name'], how: '', value: 'c' });
    assert.deepEqual(renamed, { fields: [{ name: 'c', path: 'a' }, { name: 'b' }] });
  });

  test('find in a base each property of what a list holds', () => {
    const inLists = all.map(({ path }) => path).filter((path) => path.includes('0'));
    assert.ok(inLists.length > 0);
    for (const path of inLists)
      assert.ok(
        Object.values(BASES).some((base) => valueAt(base, path) !== undefined),
        path.join('.'),
      );
  });
});

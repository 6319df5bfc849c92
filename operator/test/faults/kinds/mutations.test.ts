import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { customResourceDefinition } from '../../../src/crd/definition.ts';
import type { JsonSchema } from '../../../src/crd/structural.ts';
import { isLeaf, mutated, mutations, properties } from './mutations.ts';

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
  ];
  for (const { name, schema, now, value } of cases) {
    test(name, () => {
      assert.ok(mutations({ path: ['x'], schema }, now).some((each) => each.value === value));
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
});

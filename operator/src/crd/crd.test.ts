import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { customResourceDefinition } from './definition.ts';
import { crdTemplate, TEMPLATE } from './generate.ts';
import type { JsonSchema } from './structural.ts';

const FORBIDDEN = ['$ref', '$schema', 'propertyNames', 'patternProperties', 'oneOf', 'const'];

type Node = { path: string; schema: JsonSchema };

function children({ path, schema }: Node): Node[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const named = properties.map(([name, child]) => ({ path: `${path}.${name}`, schema: child }));
  const items = schema['items'] ? [{ path: `${path}[]`, schema: schema['items'] as JsonSchema }] : [];
  const values = schema['additionalProperties'];
  return [...named, ...items, ...(values ? [{ path: `${path}{}`, schema: values as JsonSchema }] : [])];
}

function walk(node: Node): Node[] {
  return [node, ...children(node).flatMap(walk)];
}

const version = customResourceDefinition().spec.versions[0];
assert.ok(version);
const root = version.schema.openAPIV3Schema['properties'] as Record<string, JsonSchema>;
const nodes = ['spec', 'status'].flatMap((name) => walk({ path: name, schema: root[name] ?? {} }));

describe('the CRD', () => {
  test('in the chart is what `npm run generate` makes of the schema', () => {
    assert.equal(readFileSync(TEMPLATE, 'utf8'), crdTemplate());
  });

  test('holds nothing that Helm would take for a template', () => {
    assert.doesNotMatch(crdTemplate(), /\{\{/);
  });

  test('describes every property', () => {
    const undescribed = nodes.filter(({ path, schema }) => !schema['description'] && !path.endsWith('{}'));
    assert.deepEqual(
      undescribed.map(({ path }) => path),
      [],
    );
  });

  test('gives every node a type, or says that it is an int or a string', () => {
    const untyped = nodes.filter(({ schema }) => !schema['type'] && !schema['x-kubernetes-int-or-string']);
    assert.deepEqual(
      untyped.map(({ path }) => path),
      [],
    );
  });

  test('bounds every list, map and text', () => {
    const bounds: Record<string, string[]> = {
      array: ['maxItems'],
      string: ['maxLength', 'enum', 'pattern', 'format'],
    };
    const unbounded = nodes.filter(({ schema }) => {
      const wanted = schema['additionalProperties'] ? ['maxProperties'] : bounds[String(schema['type'])];
      return wanted && !wanted.some((bound) => bound in schema);
    });
    assert.deepEqual(
      unbounded.map(({ path }) => path),
      [],
    );
  });

  test('has no keyword that a structural schema forbids', () => {
    const found = nodes.flatMap(({ path, schema }) =>
      FORBIDDEN.filter((keyword) => keyword in schema).map((keyword) => `${path}: ${keyword}`),
    );
    assert.deepEqual(found, []);
  });
});

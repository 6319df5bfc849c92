import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { openApiSchema } from './definition.ts';
import { crdTemplate, REFERENCE, reference, TEMPLATE } from './generate.ts';
import type { JsonSchema } from './structural.ts';
import { propertiesOf, walk } from './walk.ts';

const FORBIDDEN = ['$ref', '$schema', 'propertyNames', 'patternProperties', 'oneOf', 'const'];

const nodes = propertiesOf(openApiSchema())
  .filter(([name]) => name === 'spec' || name === 'status')
  .flatMap(([path, schema]) => walk({ path, schema }));

/** The bounds that the API's conventions ask of a schema, each as the keywords of which one will do. */
function wantedBounds(schema: JsonSchema): string[][] {
  if (schema['additionalProperties']) return [['maxProperties']];
  if (schema['x-kubernetes-int-or-string']) return [['minimum'], ['maximum'], ['maxLength']];
  const { type } = schema;
  if (type === 'array') return [['maxItems'], ['x-kubernetes-list-type']];
  if (type === 'integer') return [['minimum'], ['maximum']];
  return type === 'string' ? [['maxLength', 'enum', 'format']] : [];
}

function pathsWhere(fails: (schema: JsonSchema) => boolean): string[] {
  return nodes.filter(({ schema }) => fails(schema)).map(({ path }) => path);
}

describe('the CRD', () => {
  test('in the chart is what `npm run generate` makes of the schema', () => {
    assert.equal(readFileSync(TEMPLATE, 'utf8'), crdTemplate());
  });

  test('holds nothing that Helm would take for an action, but that it may be left out', () => {
    const actions = crdTemplate()
      .split('\n')
      .filter((line) => line.includes('{{'));
    assert.deepEqual(actions, ['{{- if .Values.crd.install }}', '{{- end }}']);
  });

  test('gives every node a type, or says that it is an int or a string', () => {
    const untyped = pathsWhere((schema) => !schema['type'] && !schema['x-kubernetes-int-or-string']);
    assert.deepEqual(untyped, []);
  });

  test('has no keyword that a structural schema forbids', () => {
    assert.deepEqual(
      pathsWhere((schema) => FORBIDDEN.some((keyword) => keyword in schema)),
      [],
    );
  });
});

describe('every property of the CRD', () => {
  test('is described by a sentence', () => {
    const sentence = /^[A-Z<].*\.$/s;
    assert.deepEqual(
      pathsWhere(({ description }) => !sentence.test(String(description))),
      [],
    );
  });

  test('is bounded', () => {
    const unbounded = (schema: JsonSchema) =>
      wantedBounds(schema).some((keywords) => !keywords.some((keyword) => keyword in schema));
    assert.deepEqual(pathsWhere(unbounded), []);
  });

  test('has a row in the reference, which is what `npm run generate` makes of the schema', () => {
    const markdown = readFileSync(REFERENCE, 'utf8');
    assert.equal(markdown, reference());
    const missing = nodes
      .filter(({ path }) => path.includes('.') && !/[}\]]$/.test(path))
      .filter(({ path }) => {
        const [, parent, name] = /^(.*)\.([^.]+)$/.exec(path) ?? [];
        const section = markdown.split(`\n## ${parent}\n`)[1]?.split('\n## ')[0] ?? '';
        return !section.includes(`\n| \`${name}\` | `);
      });
    assert.deepEqual(
      missing.map(({ path }) => path),
      [],
    );
  });
});

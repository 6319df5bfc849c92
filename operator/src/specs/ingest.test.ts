import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Field } from '../api/fields.ts';
import { configJson } from './config.ts';
import { fieldsTold } from './ingest.ts';
import { pipelineOf } from './testing.ts';

const FIELDS: Field[] = [
  { name: 'title', type: 'text', path: 'name.title' },
  { name: 'age', type: 'bigint', path: 'dob.age' },
];

describe('the fields that ingest was told of', () => {
  const cases: { name: string; told: string | undefined; expected: Field[] }[] = [
    {
      name: 'are those of its configuration',
      told: configJson(pipelineOf({ fields: FIELDS }), ['pipeline', 'source', 'fields']),
      expected: FIELDS,
    },
    { name: 'are none where it has no configuration', told: undefined, expected: [] },
    { name: 'are none where an older operator wrote it', told: '{"source":{}}', expected: [] },
    { name: 'are none where someone spoiled it', told: 'edited', expected: [] },
    { name: 'are none where they are no fields', told: '{"fields":[1]}', expected: [] },
  ];
  for (const { name, told, expected } of cases)
    test(name, () => assert.deepEqual(fieldsTold(told), expected));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { quantityValue } from '../../operator/src/api/scalars.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');

const PIPELINES = 1000;
const HEAD_ROOM = 1.5;

/** A resident size that the bench of the operator printed, in bytes. */
function printed(name: string, unit: 'KiB' | 'MiB'): number {
  const [, value] =
    new RegExp(`${name} +([0-9.]+) ${unit} resident`).exec(read('../../docs/reliability.md')) ?? [];
  return Number(value) * (unit === 'KiB' ? 2 ** 10 : 2 ** 20);
}

test('the operator has memory for 1,000 pipelines, and asks for what it takes with none', () => {
  const { requests, limits } = parse(read('values.yaml')).resources;
  const none = printed('memory without a pipeline', 'MiB');
  const all = none + PIPELINES * printed('memory a pipeline', 'KiB');
  assert.ok(quantityValue(requests.memory) >= none, `${requests.memory} for ${none} bytes`);
  assert.ok(quantityValue(limits.memory) >= HEAD_ROOM * all, `${limits.memory} for ${all} bytes`);
});

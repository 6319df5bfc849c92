import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import type { Field } from '../lib/columns.ts';
import { apiUser, toUser, type User } from '../lib/user.ts';
import { readFields } from './fields.ts';

const MAX_REASON = 1000;

/** The user that `value` (of the API; undefined: it wasn't JSON) is, with `fields` beside his own, or why he is none. */
export function checkUser(value: unknown, fields: readonly Field[]): { user: User } | { reason: string } {
  if (value === undefined) return { reason: 'is not JSON' };
  const checked = apiUser.safeParse(value);
  const { values, faults } = readFields(value, fields);
  if (checked.success && faults.length === 0) return { user: { ...toUser(checked.data), ...values } };
  const all = [...(checked.error ? faultsOf(checked.error) : []), ...faults];
  return { reason: all.join('; ').slice(0, MAX_REASON) };
}

function faultsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join('.') || '(user)'}: ${issue.message}`);
}

/** What TypeScript doesn't know yet of the JSON that Node has. */
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver?: (key: string, value: unknown, sent: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/** A number of so many digits may be one that a double rounds; no other costs a reviver, which is several times as slow. */
const LONG_NUMBER = /[\s:,[]-?\d{16}/;

/**
 * The value, or undefined (which JSON doesn't have) when the bytes aren't JSON in UTF-8. A whole number that a double can't
 * hold is a bigint.
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  try {
    return LONG_NUMBER.test(text) ? parse(text, exact) : parse(text);
  } catch {
    return undefined;
  }
}

function exact(_: string, value: unknown, { source = '' }: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** The JSON of what `parseJson` gave. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? rawJSON(String(inner)) : inner));
}

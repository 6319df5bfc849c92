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

/** The value, or undefined (which JSON doesn't have) when the bytes aren't JSON in UTF-8. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

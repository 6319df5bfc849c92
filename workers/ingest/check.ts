import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { apiUser, toUser, type User } from '../lib/user.ts';

const MAX_REASON = 1000;

/** The user that `value` (of the API; undefined: it wasn't JSON) is, or why he is none. */
export function checkUser(value: unknown): { user: User } | { reason: string } {
  if (value === undefined) return { reason: 'is not JSON' };
  const checked = apiUser.safeParse(value);
  return checked.success ? { user: toUser(checked.data) } : { reason: reasonOf(checked.error) };
}

function reasonOf(error: z.ZodError): string {
  const faults = error.issues.map((issue) => `${issue.path.join('.') || '(user)'}: ${issue.message}`);
  return faults.join('; ').slice(0, MAX_REASON);
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

import { z } from 'zod';
import type { Field } from '../lib/columns.ts';
import { StageError } from '../lib/health.ts';
import type { User } from '../lib/user.ts';
import { checkUser, formatJson, parseJson } from './check.ts';
import type { Body } from './fetch.ts';
import { scanResults } from './scan.ts';

export type Rejected = { reason: string; raw: Buffer };

export type Page = {
  /** The good users; of two with one id the last. */
  users: User[];
  rejected: Rejected[];
  /** The number that the source itself gives the page. */
  number: number | undefined;
  /** Undefined when all of the page is here, or what was wrong with it: then it must be asked for again. */
  fault: string | undefined;
};

const response = z.object({ results: z.array(z.unknown()), info: z.unknown().optional() });
const info = z.object({ page: z.int() });

/**
 * Sorts a response's users into good and bad. Of one that isn't JSON as a whole (it breaks off, or one user is garbled)
 * each user that is JSON by itself counts, so that one bad spot costs nothing around it.
 * @throws {StageError} SourceInvalidResponse when there is no list of users in it at all.
 */
export function parsePage(body: Body, name: string, fields: readonly Field[]): Page {
  const value = body.cut === undefined ? parseJson(body.bytes) : undefined;
  if (value === undefined) return salvage(body, name, fields);
  const page = response.safeParse(value);
  if (!page.success) throw invalid(name, 'is not an object with a list "results"');
  const sent = once(() => scanResults(body.bytes).elements);
  const candidates = page.data.results.map((user, index) => ({
    user,
    // The list may be hidden from the scan by an escape in its name.
    raw: () => sent()[index] ?? Buffer.from(formatJson(user)),
  }));
  return { ...sort(candidates, fields), number: info.safeParse(page.data.info).data?.page, fault: undefined };
}

/** `raw` gives the bytes that the user was sent in. */
type Candidate = { user: unknown; raw: () => Buffer };

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A list that was closed is complete: what in it isn't JSON would be no better the next time. */
function salvage(body: Body, name: string, fields: readonly Field[]): Page {
  const { elements, tail, closed } = scanResults(body.bytes);
  const parts = tail ? [...elements, tail] : elements;
  if (parts.length === 0 && !closed) throw invalid(name, body.cut ? `broke off: ${body.cut}` : 'is not JSON');
  const candidates = parts.map((raw) => ({ user: parseJson(raw), raw: () => raw }));
  const page = sort(candidates, fields);
  const fault = closed
    ? undefined
    : `broke off after ${page.users.length} good users: ${body.cut ?? 'not JSON'}`;
  return { ...page, number: undefined, fault };
}

function sort(candidates: Candidate[], fields: readonly Field[]): { users: User[]; rejected: Rejected[] } {
  const users = new Map<string, User>();
  const rejected: Rejected[] = [];
  for (const { user, raw } of candidates) {
    const checked = checkUser(user, fields);
    if ('user' in checked) users.set(checked.user.id, checked.user);
    else rejected.push({ reason: checked.reason, raw: raw() });
  }
  return { users: [...users.values()], rejected };
}

function invalid(name: string, fault: string): StageError {
  const next = 'check that spec.source.url speaks the randomuser.me API, version 1.4; it is asked again';
  return new StageError('Source', 'SourceInvalidResponse', `the response of ${name} ${fault}; ${next}`);
}

import { type ApiUser, apiUser, toUser, type User } from '../../workers/lib/user.ts';
import { until } from '../../workers/test/wait.ts';
import { SOURCE } from './installed.ts';

/** Users by id, as one stage holds them. */
export type Users = Map<string, User>;

export function byId(users: User[]): Users {
  return new Map(users.map((user) => [user.id, user]));
}

const ANSWERS_WITHIN_MS = 60_000;

/**
 * The users of some seeds, or of all, that the source says it served, as rows. On a busy machine its Service is without a
 * ready pod at times.
 */
export async function servedUsers(...seeds: string[]): Promise<Users> {
  const query = new URLSearchParams(seeds.map((seed): [string, string] => ['seed', seed]));
  const ask = () => fetch(new URL(`/served?${query}`, SOURCE)).catch(() => undefined);
  const response = await until('the source to answer', ask, ANSWERS_WITHIN_MS);
  const lines = (await response.text()).split('\n').filter(Boolean);
  const users: ApiUser[] = lines.map((line) => apiUser.parse(JSON.parse(line)));
  return byId(users.map(toUser));
}

function differingFields(expected: User, actual: User): string[] {
  const fields = Object.keys(expected) as (keyof User)[];
  return fields
    .filter((field) => expected[field] !== actual[field])
    .map(
      (field) => `${field}: ${JSON.stringify(actual[field])} instead of ${JSON.stringify(expected[field])}`,
    );
}

/** What sets `actual` apart from `expected`, a line a user; empty where every user and every field is the same. */
export function differences(expected: Users, actual: Users): string[] {
  const missing = [...expected.keys()].filter((id) => !actual.has(id)).map((id) => `${id}: missing`);
  const extra = [...actual.keys()].filter((id) => !expected.has(id)).map((id) => `${id}: not expected`);
  const changed = [...expected].flatMap(([id, user]) => {
    const other = actual.get(id);
    const fields = other ? differingFields(user, other) : [];
    return fields.length > 0 ? [`${id}: ${fields.join(', ')}`] : [];
  });
  return [...missing, ...extra, ...changed];
}

import { z } from 'zod';

/** The columns of a user in every stage, in order, with the type each has everywhere. */
export const USER_COLUMNS = {
  id: 'uuid',
  first_name: 'text',
  last_name: 'text',
  gender: 'text',
  address: 'text',
  post_code: 'text',
  email: 'text',
  username: 'text',
  dob: 'timestamp',
  registered_date: 'timestamp',
  phone: 'text',
  picture: 'text',
  nationality: 'text',
} as const satisfies Record<string, 'uuid' | 'text' | 'timestamp'>;

export type UserColumn = keyof typeof USER_COLUMNS;

/** A user as the tables hold it; timestamps are ISO strings in UTC with milliseconds. Only `id` is never null. */
export type User = { id: string } & { [column in Exclude<UserColumn, 'id'>]: string | null };

/** A field that may be missing or null; `fault` says what is wrong with another value. Few nodes: a page has many users. */
function field<T>(fault: (value: unknown) => string | undefined) {
  const faultOf = (value: unknown) => (value === null || value === undefined ? undefined : fault(value));
  const error = ({ input }: { input: unknown }) => faultOf(input);
  return z.custom<T | null>((value) => faultOf(value) === undefined, { error }).optional();
}

/** What keeps a value from being text that every stage can hold: Postgres refuses U+0000, and half a surrogate pair has no UTF-8. */
export function textFault(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'is not text';
  if (value.includes('\0')) return 'contains U+0000, which Postgres text cannot hold';
  return value.isWellFormed() ? undefined : 'contains half a surrogate pair, which is not Unicode';
}

const DATETIME = z.regexes.datetime({ offset: true });
const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

/** What keeps a value from being a moment that all stages can hold. */
export function momentFault(value: unknown): string | undefined {
  if (typeof value !== 'string' || !DATETIME.test(value)) return 'is not an ISO date and time';
  const time = Date.parse(value);
  return time >= FIRST_MOMENT && time <= LAST_MOMENT ? undefined : 'is not a date in the years 1 to 9999';
}

const text = field<string>(textFault);
const textOrNumber = field<string | number | bigint>((value) =>
  typeof value === 'bigint' || Number.isFinite(value) ? undefined : textFault(value),
);
const moment = field<string>(momentFault);

/**
 * One user of the API's 1.4 response. Only `login.uuid` must be there: a field that the request left out (`inc`, `exc`)
 * is null, one of a wrong type is a fault. Unknown fields are ignored.
 */
export const apiUser = z.object({
  gender: text,
  name: z.object({ first: text, last: text }).nullish(),
  location: z
    .object({
      street: z.object({ number: textOrNumber, name: text }).nullish(),
      city: text,
      state: text,
      country: text,
      postcode: textOrNumber,
    })
    .nullish(),
  email: text,
  login: z.object({ uuid: z.guid().toLowerCase(), username: text }),
  dob: z.object({ date: moment }).nullish(),
  registered: z.object({ date: moment }).nullish(),
  phone: text,
  picture: z.object({ medium: text }).nullish(),
  nat: text,
});

export type ApiUser = z.output<typeof apiUser>;

/** The row of an API user. */
export function toUser(api: ApiUser): User {
  return {
    id: api.login.uuid,
    first_name: api.name?.first ?? null,
    last_name: api.name?.last ?? null,
    gender: api.gender ?? null,
    address: address(api.location),
    post_code: api.location?.postcode?.toString() ?? null,
    email: api.email ?? null,
    username: api.login.username ?? null,
    dob: utc(api.dob?.date),
    registered_date: utc(api.registered?.date),
    phone: api.phone ?? null,
    picture: api.picture?.medium ?? null,
    nationality: api.nat ?? null,
  };
}

/** `<number> <street>, <city>, <state>, <country>`, without what is missing; null when all of it is. */
function address(location: ApiUser['location']): string | null {
  const street = joined(' ', [location?.street?.number, location?.street?.name]);
  return joined(', ', [street, location?.city, location?.state, location?.country]) || null;
}

/** A street may have the number 0. */
function joined(separator: string, parts: (string | number | bigint | null | undefined)[]): string {
  return parts.filter((part) => part === 0 || Boolean(part)).join(separator);
}

/** A moment as an ISO string in UTC with milliseconds. */
export function utc(moment: string | null | undefined): string | null {
  return moment ? new Date(moment).toISOString() : null;
}

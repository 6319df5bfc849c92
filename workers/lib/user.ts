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

/** Text that every stage can hold: Postgres refuses U+0000, and half a surrogate pair has no UTF-8. */
const text = z
  .string()
  .refine((value) => !value.includes('\0'), 'contains U+0000, which Postgres text cannot hold')
  .refine((value) => value.isWellFormed(), 'contains half a surrogate pair, which is not Unicode')
  .nullish();

const textOrNumber = z.union([z.number().transform(String), text]);

/** A moment in the years 1 to 9999, which all stages can hold, as an ISO string in UTC with milliseconds. */
const moment = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .refine((date) => /^(?!0000)\d{4}-/.test(safeIso(date)), 'is not a date in the years 1 to 9999')
  .transform((date) => date.toISOString())
  .nullish();

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
    post_code: api.location?.postcode ?? null,
    email: api.email ?? null,
    username: api.login.username ?? null,
    dob: api.dob?.date ?? null,
    registered_date: api.registered?.date ?? null,
    phone: api.phone ?? null,
    picture: api.picture?.medium ?? null,
    nationality: api.nat ?? null,
  };
}

/** `<number> <street>, <city>, <state>, <country>`, without what is missing; null when all of it is. */
function address(location: ApiUser['location']): string | null {
  const street = [location?.street?.number, location?.street?.name].filter(Boolean).join(' ');
  const parts = [street, location?.city, location?.state, location?.country].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : null;
}

function safeIso(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

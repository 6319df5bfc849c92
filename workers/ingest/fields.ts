import type { ColumnType, Field } from '../lib/columns.ts';
import { momentFault, textFault, utc } from '../lib/user.ts';

/** A value as the table takes it: numbers and moments as their text. */
export type FieldValue = string | number | boolean | null;

type Read = (value: unknown) => { value: FieldValue } | { fault: string };

const [FIRST_BIGINT, LAST_BIGINT] = [-(2n ** 63n), 2n ** 63n - 1n];
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NUMBER = /^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** What the API may send for a column of each type. It writes some numbers as texts, as the coordinates. */
const READ: Record<ColumnType, Read> = {
  text: (value) => {
    const text = typeof value === 'bigint' || Number.isFinite(value) ? String(value) : value;
    const fault = textFault(text);
    return fault === undefined ? { value: text as string } : { fault };
  },
  uuid: (value) =>
    typeof value === 'string' && GUID.test(value)
      ? { value: value.toLowerCase() }
      : { fault: 'is not a UUID' },
  timestamp: (value) => {
    const fault = momentFault(value);
    return fault === undefined ? { value: utc(value as string) } : { fault };
  },
  bigint: (value) =>
    isBigint(value) ? { value: String(value) } : { fault: 'is not a whole number of 64 bits' },
  double: (value) => {
    const isText = typeof value === 'string' && NUMBER.test(value);
    const number = isText || typeof value === 'bigint' ? Number(value) : value;
    return Number.isFinite(number) ? { value: number as number } : { fault: 'is not a number' };
  },
  boolean: (value) => (typeof value === 'boolean' ? { value } : { fault: 'is not true or false' }),
};

/** What stands there as a number past 2^53 and isn't whole, or was written with an exponent, was rounded when it was read. */
function isBigint(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  const isWhole = typeof value === 'bigint' || (typeof value === 'string' && /^-?\d{1,19}$/.test(value));
  return isWhole && BigInt(value) >= FIRST_BIGINT && BigInt(value) <= LAST_BIGINT;
}

/** The values of `fields` in a user of the API, null for what he lacks, or what is wrong with them. */
export function readFields(user: unknown, fields: readonly Field[]) {
  const values: Record<string, FieldValue> = {};
  const faults: string[] = [];
  for (const { name, type, path } of fields) {
    const found = valueAt(user, path);
    const read = found === undefined || found === null ? { value: null } : READ[type](found);
    if ('value' in read) values[name] = read.value;
    else faults.push(`${path}: ${read.fault}`);
  }
  return { values, faults };
}

function valueAt(user: unknown, path: string): unknown {
  let value = user;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

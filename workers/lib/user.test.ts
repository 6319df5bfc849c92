import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apiUser, toUser, USER_COLUMNS } from './user.ts';

const uuid = '986fcfc3-484c-4e7c-9074-83cde71676f7';

const whole = {
  gender: 'female',
  name: { title: 'Miss', first: 'شهرنوش', last: 'O’Neil 🎈' },
  location: {
    street: { number: 6482, name: 'Green Mead' },
    city: 'Kraków',
    state: 'England',
    country: 'United Kingdom',
    postcode: 8749,
    coordinates: { latitude: '49.0882', longitude: '24.3206' },
  },
  email: 'a@example.com',
  login: { uuid, username: 'lazy.bear', password: 'x' },
  dob: { date: '1982-12-18T04:20:22.024Z', age: 43 },
  registered: { date: '2021-08-29T01:08:41Z', age: 4 },
  phone: '016977 4679',
  picture: { large: 'l', medium: 'https://example.com/m.jpg', thumbnail: 't' },
  nat: 'GB',
};

const parse = (user: unknown) => toUser(apiUser.parse(user));
const faults = (user: unknown) => apiUser.safeParse(user).error?.issues.map(({ path }) => path.join('.'));

test('a whole user becomes a row of all columns, in order', () => {
  const row = parse(whole);
  assert.deepEqual(row, {
    id: uuid,
    first_name: 'شهرنوش',
    last_name: 'O’Neil 🎈',
    gender: 'female',
    address: '6482 Green Mead, Kraków, England, United Kingdom',
    post_code: '8749',
    email: 'a@example.com',
    username: 'lazy.bear',
    dob: '1982-12-18T04:20:22.024Z',
    registered_date: '2021-08-29T01:08:41.000Z',
    phone: '016977 4679',
    picture: 'https://example.com/m.jpg',
    nationality: 'GB',
  });
  assert.deepEqual(Object.keys(row), Object.keys(USER_COLUMNS));
});

test('only the uuid is needed: what a request left out is null', () => {
  const { id, ...rest } = parse({ login: { uuid: uuid.toUpperCase() } });
  assert.equal(id, uuid);
  assert.deepEqual([...new Set(Object.values(rest))], [null]);
  assert.equal(parse({ ...whole, location: { city: 'Oslo', country: null } }).address, 'Oslo');
});

test('numbers are kept to their last digit, and the street number 0 too', () => {
  const location = { street: { number: 0, name: 'Platform Road' }, postcode: 9007199254740993n };
  const { address, post_code } = parse({ ...whole, location });
  assert.deepEqual([address, post_code], ['0 Platform Road', '9007199254740993']);
});

describe('a user is refused by the field that is wrong:', () => {
  const cases: [string, unknown, string][] = [
    ['no login', { ...whole, login: undefined }, 'login'],
    ['no uuid', { ...whole, login: { username: 'x' } }, 'login.uuid'],
    ['a uuid that is none', { ...whole, login: { uuid: '123' } }, 'login.uuid'],
    ['a name that is a number', { ...whole, name: { first: 5 } }, 'name.first'],
    ['U+0000', { ...whole, email: 'a\0b' }, 'email'],
    ['half a surrogate pair', { ...whole, phone: '\ud83c' }, 'phone'],
    ['a date that is none', { ...whole, dob: { date: 'yesterday' } }, 'dob.date'],
    ['a day that is none', { ...whole, dob: { date: '2023-02-30T00:00:00Z' } }, 'dob.date'],
    ['the year 0', { ...whole, dob: { date: '0000-05-05T00:00:00Z' } }, 'dob.date'],
    ['a year past 9999', { ...whole, dob: { date: '9999-12-31T23:59:59-01:00' } }, 'dob.date'],
    ['a long number as a name', { ...whole, name: { first: 9007199254740993n } }, 'name.first'],
    ['a postcode that is a list', { ...whole, location: { postcode: [] } }, 'location.postcode'],
    ['not an object', 'a user', ''],
  ];
  for (const [name, user, field] of cases) test(name, () => assert.deepEqual(faults(user), [field]));
});

test('dates before 1900 and with an offset are kept to the millisecond', () => {
  assert.equal(
    parse({ ...whole, dob: { date: '0001-01-01T00:00:00.001Z' } }).dob,
    '0001-01-01T00:00:00.001Z',
  );
  assert.equal(
    parse({ ...whole, dob: { date: '1899-12-31T23:30:00-01:00' } }).dob,
    '1900-01-01T00:30:00.000Z',
  );
});

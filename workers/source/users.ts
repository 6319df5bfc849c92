import { createHash } from 'node:crypto';
import type { Faker } from '@faker-js/faker';
import type { Nationality } from './nationalities.ts';

export type SourceUser = ReturnType<typeof sourceUser>;

/** Ages are counted up to this day, not the clock's: the same seed gives the same user for ever. */
const TODAY = Date.UTC(2026, 0, 1);
const YEAR_MS = 365.25 * 24 * 3600 * 1000;

const TIMEZONES = [
  { offset: '-8:00', description: 'Pacific Time (US & Canada)' },
  { offset: '-3:30', description: 'Newfoundland' },
  { offset: '0:00', description: 'Western Europe Time, London, Lisbon, Casablanca' },
  { offset: '+1:00', description: 'Brussels, Copenhagen, Madrid, Paris' },
  { offset: '+5:45', description: 'Kathmandu' },
  { offset: '+10:00', description: 'Eastern Australia, Guam, Vladivostok' },
];

/**
 * User number `index` (from 0) of the sequence that `seed` and the nationalities to choose from define, in the shape of
 * the API's version 1.4. The same arguments give the same user; `login.uuid` differs between any two of them.
 */
export function sourceUser(seed: string, nationalities: readonly Nationality[], index: number) {
  const key = JSON.stringify([seed, nationalities.map(({ nat }) => nat), index]);
  const digest = createHash('sha256').update(key).digest();
  const { nat, country, faker } = nationalities[
    digest.readUInt32BE(16) % nationalities.length
  ] as Nationality;
  faker.seed([0, 4, 8, 12].map((at) => digest.readUInt32BE(at)));
  const gender = faker.helpers.arrayElement(['female', 'male'] as const);
  return {
    gender,
    name: name(faker, gender),
    location: location(faker, country),
    email: faker.internet.exampleEmail(),
    login: login(faker, uuid(digest)),
    dob: moment(faker, 18, 80),
    registered: moment(faker, 1, 20),
    phone: faker.phone.number(),
    cell: faker.phone.number(),
    id: { name: 'ID', value: faker.string.numeric(9) },
    picture: picture(faker, gender),
    nat,
  };
}

/** The digest's first 16 bytes as a uuid of version 4. */
function uuid(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function name(faker: Faker, gender: 'female' | 'male') {
  const title = faker.helpers.arrayElement(gender === 'male' ? ['Mr', 'Monsieur'] : ['Mrs', 'Miss', 'Ms']);
  return { title, first: faker.person.firstName(gender), last: faker.person.lastName(gender) };
}

function location(faker: Faker, country: string) {
  return {
    street: { number: faker.number.int({ min: 1, max: 9999 }), name: faker.location.street() },
    city: faker.location.city(),
    state: faker.location.state(),
    country,
    postcode: postcode(faker.location.zipCode()),
    coordinates: {
      latitude: faker.location.latitude().toFixed(4),
      longitude: faker.location.longitude().toFixed(4),
    },
    timezone: faker.helpers.arrayElement(TIMEZONES),
  };
}

/** The API gives a number where the code is one, and a string where it isn't. */
function postcode(code: string): number | string {
  return /^[1-9]\d{0,14}$/.test(code) ? Number(code) : code;
}

function login(faker: Faker, id: string) {
  const password = faker.string.alphanumeric({ length: { min: 6, max: 12 } });
  const salt = faker.string.alphanumeric(8);
  const hash = (algorithm: string) =>
    createHash(algorithm)
      .update(password + salt)
      .digest('hex');
  return {
    uuid: id,
    username: faker.internet.username(),
    password,
    salt,
    md5: hash('md5'),
    sha1: hash('sha1'),
    sha256: hash('sha256'),
  };
}

function moment(faker: Faker, fromYears: number, toYears: number) {
  const agoMs = faker.number.int({ min: fromYears * YEAR_MS, max: toYears * YEAR_MS });
  return { date: new Date(TODAY - agoMs).toISOString(), age: Math.floor(agoMs / YEAR_MS) };
}

function picture(faker: Faker, gender: 'female' | 'male') {
  const file = `${gender === 'male' ? 'men' : 'women'}/${faker.number.int({ min: 0, max: 99 })}.jpg`;
  const portraits = 'https://randomuser.me/api/portraits';
  return {
    large: `${portraits}/${file}`,
    medium: `${portraits}/med/${file}`,
    thumbnail: `${portraits}/thumb/${file}`,
  };
}

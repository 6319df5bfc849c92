import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageError } from '../lib/health.ts';
import { parsePage } from './page.ts';

const uuid = (digit: number) => `00000000-0000-4000-8000-00000000000${digit}`;
const user = (digit: number, email = 'x@example.com') => ({ login: { uuid: uuid(digit) }, email });
const body = (results: unknown[]) => JSON.stringify({ results, info: { page: 3 } });
const parse = (text: string | Buffer, cut?: string) => {
  const page = parsePage({ bytes: Buffer.from(text), cut }, 'http://source/api/', []);
  return {
    ...page,
    users: page.users.map(({ id }) => id),
    rejected: page.rejected.map(({ reason }) => reason),
  };
};

test('sorts good users from bad ones, and keeps the bad ones’ bytes', () => {
  const bad = { name: { first: 'No Uuid' } };
  const bytes = Buffer.from(body([user(1), bad, user(2, 'a\0b'), user(3)]));
  const page = parsePage({ bytes, cut: undefined }, 'source', []);
  assert.deepEqual(
    page.users.map(({ id }) => id),
    [uuid(1), uuid(3)],
  );
  assert.deepEqual([page.number, page.fault], [3, undefined]);
  assert.match(page.rejected[0]?.reason ?? '', /^login: /);
  assert.match(page.rejected[1]?.reason ?? '', /^email: contains U\+0000/);
  assert.deepEqual(
    page.rejected.map(({ raw }) => JSON.parse(String(raw))),
    [bad, user(2, 'a\0b')],
  );
});

test('keeps a bad user byte for byte, also what JSON.parse would lose', () => {
  const bad = '{ "login" : {"uuid": 12345678901234567890, "uuid": 2},  "email":"\\u0061" }';
  const page = parsePage({ bytes: Buffer.from(`{"results":[${bad}]}`), cut: undefined }, 'source', []);
  assert.deepEqual(
    page.rejected.map(({ raw }) => String(raw)),
    [bad],
  );
});

test('of two users with one id the last counts', () => {
  const page = parsePage(
    { bytes: Buffer.from(body([user(1, 'old'), user(2), user(1, 'new')])), cut: undefined },
    '',
    [],
  );
  assert.deepEqual(
    page.users.map(({ email }) => email),
    ['new', 'x@example.com'],
  );
});

test('of a response that breaks off each whole user is good, and the page is not complete', () => {
  const text = body([user(1), user(2), user(3)]);
  const page = parse(text.slice(0, text.indexOf(uuid(3))), 'other side closed');
  assert.deepEqual([page.users, page.rejected], [[uuid(1), uuid(2)], ['is not JSON']]);
  assert.equal(page.fault, 'broke off after 2 good users: other side closed');
});

test('a list that is complete counts, even where the response broke off behind it', () => {
  const page = parse(body([user(1)]).slice(0, -5), 'other side closed');
  assert.deepEqual([page.users, page.fault], [[uuid(1)], undefined]);
});

test('one user who is not JSON, or not UTF-8, costs nothing around him', () => {
  const good = [JSON.stringify(user(1)), JSON.stringify(user(2))];
  const garbled = `{"results": [${good[0]}, {"login": oops}, ${good[1]}]}`;
  assert.deepEqual(parse(garbled), {
    users: [uuid(1), uuid(2)],
    rejected: ['is not JSON'],
    number: undefined,
    fault: undefined,
  });
  const [head, tail] = body([user(1), user(2, '?')]).split('?') as [string, string];
  const notUtf8 = parse(Buffer.concat([Buffer.from(head), Buffer.from([0xff]), Buffer.from(tail)]));
  assert.deepEqual([notUtf8.users, notUtf8.rejected], [[uuid(1)], ['is not JSON']]);
});

test('a response without a list of users is an error that says what to do', () => {
  for (const text of ['', '<html>', '{"error": "no"}', '{"results": {}}', 'null']) {
    assert.throws(
      () => parse(text),
      (error: unknown) =>
        error instanceof StageError &&
        error.reason === 'SourceInvalidResponse' &&
        /http:\/\/source\/api\/.*; check that spec\.source\.url/.test(error.message),
    );
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isConflict,
  isNotFound,
  isNotServed,
  isRefused,
  isTooManyRequests,
  NoAnswerError,
  parseApiError,
} from './errors.ts';

const status = (reason: string, message: string) => JSON.stringify({ kind: 'Status', reason, message });

test('a Status becomes an error with code, reason and the request in its message', () => {
  const error = parseApiError(409, status('Conflict', 'changed meanwhile'), 'PUT /x');
  assert.equal(error.code, 409);
  assert.equal(error.message, 'PUT /x: changed meanwhile');
  assert.ok(isConflict(error));
});

test('a message that quotes all of what is refused is cut, or no status could hold it', () => {
  const { message } = parseApiError(422, status('Invalid', 'x'.repeat(100_000)), 'PATCH /x');
  assert.equal(message.length, 'PATCH /x: '.length + 4000);
});

test('an object that is missing and a kind that is not served are different things', () => {
  const missing = parseApiError(404, status('NotFound', 'pods "a" not found'), 'GET /x');
  const unknown = parseApiError(404, '404 page not found\n', 'GET /x');
  assert.deepEqual([isNotFound(missing), isNotServed(missing)], [true, false]);
  assert.deepEqual([isNotFound(unknown), isNotServed(unknown)], [false, true]);
});

test('the wait that a busy server asks for is kept', () => {
  const busy = parseApiError(429, 'Too many requests, please try again later.', 'GET /x', '2');
  assert.ok(isTooManyRequests(busy));
  assert.equal(busy.retryAfterMs, 2000);
});

describe('what the API server refuses to take', () => {
  const answer = (code: number, reason: string, message = 'no') =>
    parseApiError(code, status(reason, message), 'PATCH /x');
  const cases = [
    { name: 'what a webhook denies without a code', error: answer(400, ''), refused: true },
    { name: 'what a quota or the rights forbid', error: answer(403, 'Forbidden'), refused: true },
    { name: 'what is too large', error: answer(413, 'RequestEntityTooLarge'), refused: true },
    { name: 'what validation or a policy calls wrong', error: answer(422, 'Invalid'), refused: true },
    {
      name: 'a field that the kind does not have',
      error: answer(500, '', 'failed to create typed patch object'),
      refused: true,
    },
    { name: 'not: who nobody knows', error: answer(401, 'Unauthorized'), refused: false },
    { name: 'not: what has changed meanwhile', error: answer(409, 'Conflict'), refused: false },
    {
      name: 'not: what is another by now',
      error: answer(422, 'Invalid', 'metadata.uid: Invalid value: "a"'),
      refused: false,
    },
    { name: 'not: what comes too fast', error: answer(429, 'TooManyRequests'), refused: false },
    { name: 'not: a webhook that is down', error: answer(500, 'InternalError'), refused: false },
    { name: 'not: silence', error: new NoAnswerError('PATCH /x'), refused: false },
  ];
  for (const { name, error, refused } of cases) test(name, () => assert.equal(isRefused(error), refused));
});

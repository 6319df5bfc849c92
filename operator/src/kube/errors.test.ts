import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict, isNotFound, isNotServed, isTooManyRequests, parseApiError } from './errors.ts';

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

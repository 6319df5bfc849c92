import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError, NoAnswerError } from '../kube/errors.ts';
import { failureCheck } from './failure.ts';

const cases = [
  {
    name: 'an API server in trouble',
    error: new ApiError(500, 'InternalError', 'PATCH …/configmaps/users-relay: failed calling webhook'),
    reason: 'ApiError',
    message:
      /answers 500 InternalError to PATCH .*; see the log of the API server and its admission webhooks/,
  },
  {
    name: 'a request that it refuses',
    error: new ApiError(413, 'RequestEntityTooLarge', 'PATCH …/configmaps/users-spark: too large'),
    reason: 'ApiError',
    message: /answers 413 .*users-spark: too large; correct what it names/,
  },
  {
    name: 'silence',
    error: new NoAnswerError('PATCH …/services/users-relay: no answer within 30000 ms'),
    reason: 'ApiError',
    message: /no answer to PATCH .*; see that the API server is well/,
  },
  {
    name: 'a fault of the operator, however long',
    error: new TypeError('x'.repeat(50_000)),
    reason: 'OperatorError',
    message: /^TypeError: x{1989}: a fault of the operator/,
  },
];

describe('a failure that lasts', () => {
  for (const { name, error, reason, message } of cases)
    test(name, () => {
      const check = failureCheck(error);
      assert.ok(!check.ready && !check.stuck);
      assert.equal(check.reason, reason);
      assert.match(check.message, message);
    });
});

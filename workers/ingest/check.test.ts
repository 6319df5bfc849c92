import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkUser, formatJson, parseJson } from './check.ts';

const UUID = '986fcfc3-484c-4e7c-9074-83cde71676f7';
const sent = (postcode: string) =>
  Buffer.from(`{"login":{"uuid":"${UUID}"},"location":{"postcode": ${postcode}}}`);

describe('a post code', () => {
  const cases: [sent: string, kept: string][] = [
    ['8749', '8749'],
    ['9007199254740993', '9007199254740993'],
    ['-90071992547409931234', '-90071992547409931234'],
    ['9007199254740991', '9007199254740991'],
    ['"007"', '007'],
    ['0.5', '0.5'],
  ];
  for (const [text, kept] of cases) {
    test(`sent as ${text} is kept as ${kept}`, () => {
      const checked = checkUser(parseJson(sent(text)), []);
      assert.ok('user' in checked);
      assert.equal(checked.user.post_code, kept);
    });
  }
});

test('what was parsed is written as it was sent', () => {
  const text = '{"id":[12345678901234567890,1.5,"12345678901234567890"]}';
  assert.equal(formatJson(parseJson(Buffer.from(text))), text);
});

test('an endless number is no user’s', () =>
  assert.deepEqual(checkUser(parseJson(sent('1e400')), []), { reason: 'location.postcode: is not text' }));

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SERVER_TIMEOUT_MS } from './stream.ts';
import { Tenure } from './tenure.ts';

describe('a relay’s tenure', () => {
  let now = 0;
  const tenure = new Tenure(() => now);

  const answered = async () => {};

  test('lasts while the server answers', async () => {
    for (; now < 10 * SERVER_TIMEOUT_MS; now += SERVER_TIMEOUT_MS / 2) {
      tenure.require();
      await tenure.renew(answered);
    }
  });

  test('ends before the server gives the slot to another', async () => {
    await tenure.renew(answered);
    now += SERVER_TIMEOUT_MS - 1;
    assert.throws(() => tenure.require(), { reason: 'ServerSilent' });
  });

  test('is not renewed by an answer that came while the relay stood still', async () => {
    await tenure.renew(answered);
    await tenure.renew(async () => {
      now += SERVER_TIMEOUT_MS - 1;
    });
    assert.throws(() => tenure.require(), { reason: 'ServerSilent' });
  });
});

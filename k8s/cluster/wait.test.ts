import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './wait.ts';

test('waits until the check answers', async () => {
  const answers = [false, undefined, 'there'] as const;
  let asked = 0;
  const answer = await waitFor('it', async () => answers[asked++], { seconds: 5, everyMs: 1 });
  assert.equal(answer, 'there');
});

test('past the deadline it says what it waited for, the last error and the explanation', async () => {
  const waiting = waitFor('the server', () => Promise.reject(new Error('connection refused')), {
    seconds: 0.02,
    everyMs: 1,
    explain: () => 'its log',
  });
  await assert.rejects(waiting, /waited 0\.02 s for the server, in vain\nconnection refused\nits log/);
});

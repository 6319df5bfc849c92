import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CommandError, run, succeeds } from './run.ts';

describe('run', () => {
  test('answers stdout and passes input on', async () => {
    assert.equal(await run('cat', [], { input: 'text' }), 'text');
  });

  test('a failure says the command, its end and the last it printed', async () => {
    const failure = run('sh', ['-c', 'echo what went wrong >&2; exit 3']);
    await assert.rejects(failure, (error: CommandError) => {
      assert.equal(error.exitCode, 3);
      assert.match(error.message, /^sh -c .* ended with 3:\nwhat went wrong$/s);
      return true;
    });
  });

  test('a command that is not there is a failure, not a crash', async () => {
    await assert.rejects(run('no-such-program', [], { input: 'unread' }), CommandError);
    assert.equal(await succeeds('no-such-program', []), false);
  });

  test('hands lines on as they come, whole', async () => {
    const lines: string[] = [];
    await run('printf', ['a\\nb\\nc'], { onLine: (line) => lines.push(line) });
    assert.deepEqual(lines, ['a', 'b']);
  });
});

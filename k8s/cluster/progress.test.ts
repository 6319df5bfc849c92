import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Progress, seconds } from './progress.ts';

describe('progress', () => {
  test('shows steps as they begin and end, and now and then how far they are', async () => {
    const lines: string[] = [];
    let now = 0;
    const progress = new Progress(
      (line) => lines.push(line),
      () => now,
    );
    await progress.step('build', async (report) => {
      report('too early to say');
      now = 15_000;
      report('half');
      report('too soon again');
      now = 20_500;
    });
    assert.deepEqual(lines, ['  ▸ build', '    … build: half', '  ✓ build (20.5 s)']);
    assert.match(progress.summary(), /20\.5 s {2}build\n +20\.5 s {2}in all$/);
  });

  test('shows a step that failed and passes its error on', async () => {
    const lines: string[] = [];
    const progress = new Progress((line) => lines.push(line));
    await assert.rejects(
      progress.step('build', () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.match(lines.at(-1) ?? '', /✗ build/);
  });
});

test('seconds are told as people tell them', () => {
  assert.equal(seconds(4.24), '4.2 s');
  assert.equal(seconds(187), '3 min 07 s');
  assert.equal(seconds(119.7), '2 min 00 s');
});

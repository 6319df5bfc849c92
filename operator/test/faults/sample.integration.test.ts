import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, playAll, seedOf } from './play.ts';

/** After this only what a kind has to have begins, so that all is over within three minutes where nothing else runs. */
const SAMPLE_MS = 110_000;

test('a sample of every kind of fault leaves no trace', async (t) => {
  const seed = seedOf(process.env);
  t.diagnostic(`SEED=${seed}`);
  const { counts, divergences } = await playAll({ seed, sample: { ms: SAMPLE_MS }, log: console.log });
  assert.deepEqual(
    divergences.map(({ kind, name, report }) => `${kind}: ${name}\n${report}`),
    [],
  );
  for (const { name } of KINDS) assert.ok(counts.get(name)?.runs, `no run of ${name} was played`);
});

import { crash } from './kinds/crash.ts';
import { drift } from './kinds/drift.ts';
import { journeys } from './kinds/journeys.ts';
import { everyProperty } from './kinds/properties.ts';
import { quiet } from './kinds/quiet.ts';
import { recovery } from './kinds/recovery.ts';
import { replicas } from './kinds/replicas.ts';
import { stale } from './kinds/stale.ts';
import { uninstalling } from './kinds/uninstall.ts';
import { type Kind, Suite, type SuiteOptions } from './suite.ts';
import { table } from './table.ts';
import { startWorld } from './world.ts';

/** The kinds that go side by side. */
const TOGETHER: Kind[] = [quiet, stale, replicas, recovery, drift, crash, everyProperty, journeys];

/** The kinds that change what all share. */
const ALONE: Kind[] = [uninstalling];

export const KINDS = [...ALONE, ...TOGETHER];

const SLOTS = 6;

export type PlayOptions = Omit<SuiteOptions, 'world' | 'slots'>;

/** Plays the kinds in a world of their own and prints what came of it. @returns the suite, with its score */
export async function playAll(options: PlayOptions): Promise<Suite> {
  const chosen = (kinds: Kind[]) => kinds.filter(({ name }) => name.includes(options.only?.kind ?? ''));
  const world = await startWorld();
  const began = performance.now();
  const suite = new Suite({ ...options, world, slots: SLOTS });
  try {
    for (const kind of chosen(ALONE)) await suite.play(kind);
    await Promise.all(chosen(TOGETHER).map((kind) => suite.play(kind)));
  } finally {
    await world.stop();
  }
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  options.log(
    `\nseed ${options.seed}, ${minutes} minutes\n${suite.notes.join('\n')}\n\n${table(suite.counts)}`,
  );
  return suite;
}

/** The seed that the environment names, or a new one. */
export function seedOf(env: NodeJS.ProcessEnv): number {
  return Number(env['SEED']) || 1 + Math.floor(Math.random() * 999_999);
}

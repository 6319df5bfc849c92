import { READY_MS } from '../src/reconcile/schedule.ts';
import { recordSample } from './load.ts';
import { type Figures, measure } from './measure.ts';
import type { Time } from './time.ts';
import { startWorld } from './world.ts';

// How the operator does with many pipelines, on a real API server with kwok's pods: `npm run bench:operator -- 100 1000`.

/** What the sample's objects are known by and no other text is. */
const SAMPLE = 'sampled-pipeline';

const SIZES = [100, 1000];

/** Characters before each figure. */
const LABEL = 49;

const mebibytes = (bytes: number) => `${fixed(bytes / 2 ** 20)} MiB`;
const fixed = (value: number, digits = 1) => value.toFixed(digits);

/** What takes so long for `from` pipelines, for `to` of them. */
function scaled({ seconds, cpuSeconds }: Time, from: number, to: number): Time {
  return { seconds: (seconds * to) / from, cpuSeconds: (cpuSeconds * to) / from };
}

/** How much faster one was than another; by CPU time, what else runs on the machine makes no difference. */
const ratio = (loop: Time, operator: Time) =>
  `${fixed(loop.seconds / operator.seconds, 2)}; ${fixed(loop.cpuSeconds / operator.cpuSeconds, 2)} by CPU`;

const sum = (a: Time, b: Time): Time => ({
  seconds: a.seconds + b.seconds,
  cpuSeconds: a.cpuSeconds + b.cpuSeconds,
});

/** Both loops, as for all pipelines. */
function loops({ pipelines, looped, bare, bareStatuses }: Figures): { bare: Time; all: Time } {
  return {
    bare: scaled(bare, looped, pipelines),
    all: scaled(sum(bare, bareStatuses), looped, pipelines),
  };
}

function lines(figures: Figures): [string, string][] {
  const { pipelines, objects, written, statuses, convergedSeconds } = figures;
  const { writes, base, full, idle, look } = figures;
  const { bare, all } = loops(figures);
  const each = (before: number, after: number) => `${fixed((after - before) / 1024 / pipelines)} KiB`;
  const rate = ({ seconds, cpuSeconds }: Time) =>
    `${fixed(seconds)} s, ${fixed((pipelines * objects) / seconds, 0)} objects/s; ${fixed(cpuSeconds)} s of CPU`;
  return [
    ['pipelines applied at once', `${pipelines}, of ${objects} objects each`],
    ['the operator wrote all objects in', rate(written)],
    ['a bare server-side-apply loop in', rate(bare)],
    ["ratio of the operator's rate to the loop's", ratio(bare, written)],
    [`with the ${statuses} writes on each pipeline itself in`, rate(all)],
    ["ratio of the operator's rate to that", ratio(all, written)],
    ['all ready, from the start of the controllers', `${fixed(convergedSeconds)} s`],
    [
      'writes a pipeline',
      `${fixed(writes.created)} creations, ${fixed(writes.changed)} changes (status included), ${fixed(writes.refused)} refused, ${fixed(writes.events)} events`,
    ],
    ['memory without a pipeline', `${mebibytes(base.resident)} resident, ${mebibytes(base.heap)} of heap`],
    ['memory with all', `${mebibytes(full.resident)} resident, ${mebibytes(full.heap)} of heap`],
    [
      'memory a pipeline',
      `${each(base.resident, full.resident)} resident, ${each(base.heap, full.heap)} of heap`,
    ],
    [
      'when idle',
      `${fixed(idle.requestsAMinute)} requests a minute, ${fixed(idle.cpuPercent, 2)} % of a core (over ${idle.seconds} s)`,
    ],
    [
      'a look at one where nothing has changed',
      `${fixed(look.requests)} requests, ${fixed(look.cpuSeconds * 1000)} ms of CPU: at all, every ${READY_MS / 60_000} minutes, ${fixed(((look.cpuSeconds * pipelines) / READY_MS) * 100_000, 2)} % of a core`,
    ],
  ];
}

const sizes = process.argv.slice(2).map(Number);
const world = await startWorld();
try {
  await world.makeNamespace(SAMPLE);
  const sample = await recordSample(world, SAMPLE, SAMPLE);
  for (const size of sizes.length > 0 ? sizes : SIZES) {
    for (const [what, figure] of lines(await measure(world, size, sample)))
      console.log(`${what.padEnd(LABEL)}${figure}`);
    console.log();
  }
} finally {
  await world.stop();
}
process.exit(0);

// `npm run test:faults`: all of the fault suite, or the kinds, and cases, whose names hold the arguments. SEED repeats a
// run's choices.
// With --planted: whether the suite finds bugs that are put into a copy of the operator.
import { parseArgs } from 'node:util';
import { playPlanted } from './planted.ts';
import { playAll, seedOf } from './play.ts';

const { values, positionals } = parseArgs({
  options: { planted: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [kind = '', name = ''] = positionals;
const seed = seedOf(process.env);
console.log(`faults, SEED=${seed}`);
const failures = values.planted
  ? await playPlanted(seed, console.log)
  : (await playAll({ seed, log: console.log, only: { kind, case: name } })).divergences.length;
process.exitCode = failures > 0 ? 1 : 0;

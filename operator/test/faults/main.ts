// `npm run test:faults`: all of the fault suite, or the kinds, and cases, whose names hold the arguments. SEED repeats a
// run's choices.
// All of it ends with whether the suite finds bugs that are put into a copy of the operator; --planted asks that alone.
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
let failures = 0;
if (!values.planted) {
  const { divergences } = await playAll({ seed, log: console.log, only: { kind, case: name } });
  failures += divergences.length;
}
if (values.planted || positionals.length === 0) {
  console.log('\nplanted bugs');
  failures += await playPlanted(seed, console.log);
}
process.exitCode = failures > 0 ? 1 : 0;

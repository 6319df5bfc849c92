// `npm run test:faults`: all of the fault suite. SEED repeats a run's choices; an argument names the kinds to play.
import { playAll, seedOf } from './play.ts';

const seed = seedOf(process.env);
const only = process.argv[2];
console.log(`faults, SEED=${seed}`);
const { divergences } = await playAll({ seed, log: console.log, ...(only ? { only } : {}) });
process.exitCode = divergences.length > 0 ? 1 : 0;

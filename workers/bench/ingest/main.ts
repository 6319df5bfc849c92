import { COPY, type Contender, INGEST, PSQL, WAYS } from './contenders.ts';
import { startWorld, type World } from './world.ts';

// Ingest's pages into Postgres against psql with the same rows, in one run: `npm run bench:ingest -- 100000 5000`.

const [users = 100_000, pageSize = 5000, rounds = 5] = process.argv.slice(2).map(Number);
const CONTENDERS = [PSQL, COPY, ...INGEST, ...WAYS];

/** Users a second. */
async function measure(world: World, { name, run }: Contender): Promise<number> {
  await world.empty();
  const started = performance.now();
  await run(world);
  const seconds = (performance.now() - started) / 1000;
  const { rows } = await world.pool.query('SELECT count(*)::int AS users FROM users');
  if (rows[0].users !== users) throw new Error(`${name}: ${rows[0].users} users instead of ${users}`);
  return users / seconds;
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(cells: string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(40) : cell.padStart(12))).join('');
}

const world = await startWorld(users, pageSize);
try {
  const rates = new Map<Contender, number[]>(CONTENDERS.map((contender) => [contender, []]));
  for (const contender of CONTENDERS) await measure(world, contender);
  for (let round = 0; round < rounds; round += 1) {
    for (const [contender, measured] of rates) measured.push(await measure(world, contender));
  }
  /** Of each round its own ratio: what else runs on the machine changes from one to the next. */
  const ratio = (one: Contender, other: Contender) =>
    median((rates.get(one) ?? []).map((rate, round) => rate / (rates.get(other)?.[round] ?? Number.NaN)));
  console.log(`${users} users in pages of ${pageSize}; medians of ${rounds} rounds\n`);
  console.log(row(['', 'users/s', 'to psql', 'to COPY']));
  for (const [contender, measured] of rates) {
    const ratios = [ratio(contender, PSQL), ratio(contender, COPY)].map((each) => each.toFixed(2));
    console.log(row([contender.name, median(measured).toFixed(0), ...ratios]));
  }
} finally {
  await world.stop();
}
process.exit(0);

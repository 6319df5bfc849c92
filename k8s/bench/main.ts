// `npm run bench:e2e`: how many users a second the local cluster carries from Postgres to Cassandra with the lag flat, and
// how long they take at 1,000 a second and at half of the most. Runs where Services have their addresses: k8s/e2e/run.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { until } from '../../workers/test/wait.ts';
import { sourceOf } from '../e2e/installed.ts';
import { World } from '../e2e/world.ts';
import { between, type Histogram, histogramOf, quantile, total } from './latency.ts';

const MINUTES = 60_000;
const RATES = [1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000];
const WARM_UP_MS = 15_000;
const WINDOW_MS = 30_000;
const TICK_MS = 100;
/** What may be under way more at the window's end than at its beginning, in seconds of the rate: a batch. */
const FLAT_S = 1;

const INSERT = `
  INSERT INTO users
  SELECT gen_random_uuid(), 'Brad', 'Gibson', 'male', (n % 9999) || ' New Street, Kilcoole, Waterford, Ireland', '93027',
         'brad.gibson' || n || '@example.com', 'silverswan' || n, '1993-07-20T09:44:18.674Z', '2002-05-21T10:59:49.966Z',
         '011-962-7516', 'https://randomuser.me/api/portraits/med/men/75.jpg', 'IE'
  FROM generate_series(1, $1::int) AS n`;

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'bench');
let inserted = 0;

async function latencies(): Promise<Histogram> {
  const response = await fetch(`http://${await world.address('spark')}:8080/metrics`);
  return histogramOf(await response.text(), 'userstream_spark_latency_seconds');
}

/** Inserts `rate` users a second in transactions of a tenth of it, until the signal aborts. */
async function insert(db: pg.Client, rate: number, signal: AbortSignal): Promise<void> {
  for (let next = performance.now(); !signal.aborted; next += TICK_MS) {
    await db.query(INSERT, [rate / (1000 / TICK_MS)]);
    inserted += rate / (1000 / TICK_MS);
    await sleep(Math.max(0, next + TICK_MS - performance.now()));
  }
}

type Figures = {
  rate: number;
  arrived: number;
  p50: number;
  p99: number;
  underWay: [number, number];
  flat: boolean;
};

/** What the pipeline does with `rate` users a second, after it has warmed up to them. */
async function measure(db: pg.Client, rate: number, base: number): Promise<Figures> {
  const stop = new AbortController();
  const inserting = insert(db, rate, stop.signal);
  const underWay = (seen: Histogram) => base + inserted - total(seen);
  await sleep(WARM_UP_MS);
  const [before, began, waitingBefore] = await look(underWay);
  await sleep(WINDOW_MS);
  const [after, ended, waitingAfter] = await look(underWay);
  stop.abort();
  await inserting;
  const window = between(before, after);
  return {
    rate,
    arrived: Math.round((total(window) * 1000) / (ended - began)),
    p50: quantile(window, 0.5),
    p99: quantile(window, 0.99),
    underWay: [waitingBefore, waitingAfter],
    flat: waitingAfter - waitingBefore <= FLAT_S * rate,
  };
}

async function look(underWay: (seen: Histogram) => number): Promise<[Histogram, number, number]> {
  const seen = await latencies();
  return [seen, performance.now(), underWay(seen)];
}

function print({ rate, arrived, p50, p99, underWay: [first, last], flat }: Figures): void {
  const text = (seconds: number) => seconds.toFixed(2).padStart(6);
  console.log(
    `| ${String(rate).padStart(6)} | ${String(arrived).padStart(7)} | ${text(p50)} | ${text(p99)} | ${String(first).padStart(9)} | ${String(last).padStart(9)} | ${flat ? 'flat' : 'grows'} |`,
  );
}

/** Waits until all that was inserted has arrived, so that one rate's users aren't another's. */
async function drained(base: number): Promise<void> {
  await until('all users to arrive', async () => total(await latencies()) >= base + inserted, 10 * MINUTES);
}

await world.apply({ source: { ...sourceOf('bench', 1), interval: '1d' }, audit: { interval: '1d' } });
await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
const { username, password } = await world.credentials('postgres');
const db = new pg.Client({
  host: await world.address('postgres'),
  user: username,
  password,
  database: 'userstream',
});
await db.connect();
await until('the first user', async () => total(await latencies()) > 0, 2 * MINUTES);
const base = total(await latencies());
// The JIT compilers of four JVMs have their work before them.
await measure(db, RATES[0] ?? 0, base);
await drained(base);
console.log('| users/s | arrived/s | p50 s | p99 s | under way at first | at last | lag |');
console.log('|---:|---:|---:|---:|---:|---:|---|');
let most = 0;
for (const rate of RATES) {
  const figures = await measure(db, rate, base);
  print(figures);
  await drained(base);
  if (!figures.flat) break;
  most = rate;
}
console.log(`the most with the lag flat: ${most} users/s; at half of it:`);
print(await measure(db, Math.max(10, most / 2), base));
await db.end();
await world.delete();
client.close();

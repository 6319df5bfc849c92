import pg from 'pg';
import { pino } from 'pino';
import { runAudit } from '../../audit/session.ts';
import { verdictOf } from '../../audit/verdict.ts';
import { cassandraClient } from '../../lib/cassandra.ts';
import { postgresClient } from '../../lib/postgres.ts';
import { USER_COLUMNS } from '../../lib/user.ts';
import { provisionPostgres } from '../../provision/postgres.ts';
import { startPostgres } from '../../test/postgres.ts';
import { SinkBench } from '../../test/sink.ts';

// How long it takes to prove that Postgres and Cassandra hold the same users: `npm run bench:audit -- 1000000 10000`.

const users = Number(process.argv[2] ?? 1_000_000);
const usersPerSecond = Number(process.argv[3] ?? 10_000);
const IN_FLIGHT = 128;
const PAGE = 20_000;
const NAMES = Object.keys(USER_COLUMNS);

const FILL = `INSERT INTO users (${NAMES.join(', ')})
  SELECT gen_random_uuid(), 'Ada ' || n, 'Lovelace', 'female', n || ' St James’s Square, London, Greater London, United Kingdom',
    10000 + n % 90000, 'ada.lovelace.' || n || '@example.com', 'ada' || n, '1915-12-10'::timestamptz + n * interval '1 second',
    '2015-12-10'::timestamptz + n * interval '1 second', '011-962-7516',
    'https://randomuser.me/api/portraits/med/women/' || n % 100 || '.jpg', 'GB'
  FROM generate_series(1, $1) AS n`;

const [postgres, bench] = await Promise.all([
  startPostgres(),
  SinkBench.start({ sql: 'SELECT * FROM users' }),
]);
const { credentials, section } = postgres;
const reader = { username: 'cassandra', password: 'cassandra' };
const db = new pg.Client(postgresClient(section, credentials));
const ring = cassandraClient(bench.cassandra, reader);

/** What stands in Postgres, written to Cassandra as fast as it goes. */
async function copy(): Promise<void> {
  const insert = `INSERT INTO userstream.users (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')})`;
  let last = '00000000-0000-0000-0000-000000000000';
  for (let rows: Record<string, unknown>[] = []; ; last = String(rows.at(-1)?.['id'])) {
    ({ rows } = await db.query('SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT $2', [last, PAGE]));
    if (rows.length === 0) return;
    const left = rows.values();
    const write = async () => {
      for (const row of left)
        await ring.execute(
          insert,
          NAMES.map((name) => row[name]),
          { prepare: true },
        );
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, write));
  }
}

/** Keeps the slot at the end of the WAL, as a relay does that has nothing to publish. */
const confirm = () =>
  db.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [section.slot]);

async function measured() {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const outcome = await runAudit({
    config: {
      pipeline: { namespace: 'bench', name: 'audit' },
      postgres: section,
      cassandra: bench.cassandra,
      audit: { intervalMs: 1, usersPerSecond, driverUrl: bench.spark.url },
    },
    access: { POSTGRES: { credentials, ca: undefined }, CASSANDRA: { credentials: reader, ca: undefined } },
    log: pino({ enabled: false }),
    signal: new AbortController().signal,
  });
  const { user, system } = process.cpuUsage(cpu);
  return { outcome, seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
}

try {
  await provisionPostgres(section, { credentials, ca: undefined });
  await Promise.all([db.connect(), ring.connect(), bench.startSpark()]);
  await db.query(FILL, [users]);
  await copy();
  await confirm();
  const beat = setInterval(() => void confirm().catch(() => {}), 1000);
  const { outcome, seconds, cpuSeconds } = await measured();
  clearInterval(beat);
  console.log(verdictOf(outcome).message);
  console.log(
    `${users} users, ${usersPerSecond} a second at most of each store: ${seconds.toFixed(0)} s, ${cpuSeconds.toFixed(1)} CPU s of the audit's own`,
  );
} finally {
  await Promise.all([db.end(), ring.shutdown()]);
  await Promise.all([bench.stop(), postgres.stop()]);
}
process.exit(0);

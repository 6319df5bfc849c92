import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { parsePage } from '../../ingest/page.ts';
import { userStatements } from '../../ingest/upsert.ts';
import { postgresClient } from '../../lib/postgres.ts';
import { USER_COLUMNS, type User } from '../../lib/user.ts';
import { dropSlot, provisionPostgres } from '../../provision/postgres.ts';
import { NATIONALITIES } from '../../source/nationalities.ts';
import { sourceUser } from '../../source/users.ts';
import { temporaryDirectory } from '../../test/directory.ts';
import { startPostgres } from '../../test/postgres.ts';
import { postgresEnvironment } from '../../test/postgres-programs.ts';

/** A Postgres with the pipeline's tables, and the same users as the API's pages, as rows, and as files for psql. */
export type World = {
  pool: pg.Pool;
  /** How psql gets in. */
  env: NodeJS.ProcessEnv;
  /** Each the body of one response. */
  pages: Buffer[];
  rows: User[][];
  /** All rows in COPY's text format. */
  file: string;
  /** For each page COPY into a staging table and a merge, as a script for psql. */
  script: string;
  empty(): Promise<void>;
  stop(): Promise<void>;
};

export const COLUMNS = Object.keys(USER_COLUMNS);
const ASSIGNMENTS = COLUMNS.slice(1).map((name) => `${name} = excluded.${name}`);

export const STAGING = 'CREATE TEMP TABLE staging (LIKE users) ON COMMIT DELETE ROWS';
export const MERGE = `INSERT INTO users SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET ${ASSIGNMENTS.join(', ')}`;

const { source, upsert } = userStatements(USER_COLUMNS);
const UPSERT = upsert('TRUE').replace(source, 'staging AS new').replace('RETURNING id', '');

export async function startWorld(users: number, pageSize: number): Promise<World> {
  const pages = bodies(users, pageSize);
  const rows = pages.map((bytes) => parsePage({ bytes, cut: undefined }, 'bench', []).users);
  const postgres = await startPostgres();
  const { section, credentials } = postgres;
  const access = { credentials, ca: undefined };
  await provisionPostgres(section, access);
  // Nobody reads: it would keep all WAL of the bench.
  await dropSlot(section, access);
  const pool = new pg.Pool({ ...postgresClient(section, credentials), max: 2 });
  pool.on('error', () => {});
  // It deletes row by row what is truncated.
  await pool.query('ALTER TABLE users DISABLE TRIGGER users_before_truncate');
  const home = await temporaryDirectory('bench');
  const [file, script] = [join(home.path, 'users.txt'), join(home.path, 'pages.sql')];
  await writeFile(file, rows.map(copyText).join(''));
  await writeFile(script, `${STAGING};\n${rows.map(staged).join('')}`);
  const { host, port, database } = section;
  const { username, password } = credentials;
  return {
    pool,
    env: {
      ...(await postgresEnvironment()),
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: username,
      PGPASSWORD: password,
    },
    pages,
    rows,
    file,
    script,
    empty: async () => {
      await pool.query('TRUNCATE users, ingest_state, ingest_claims');
    },
    stop: async () => {
      await pool.end();
      await home.remove();
      await postgres.stop();
    },
  };
}

function bodies(users: number, pageSize: number): Buffer[] {
  return Array.from({ length: Math.ceil(users / pageSize) }, (_, index) => {
    const results = Array.from({ length: pageSize }, (_, at) =>
      sourceUser('bench', NATIONALITIES, index * pageSize + at),
    );
    return Buffer.from(JSON.stringify({ results, info: { page: index + 1 } }));
  });
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function copyText(users: User[]): string {
  const cell = (value: string | null) =>
    value === null ? '\\N' : value.replace(/[\\\t\n\r]/g, (each) => ESCAPES[each] ?? each);
  return users
    .map((user) => `${COLUMNS.map((name) => cell(user[name as keyof User])).join('\t')}\n`)
    .join('');
}

function staged(users: User[]): string {
  return `BEGIN;\nCOPY staging FROM STDIN;\n${copyText(users)}\\.\n${UPSERT};\nCOMMIT;\n`;
}

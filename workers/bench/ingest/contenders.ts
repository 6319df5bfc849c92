import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Claims } from '../../ingest/claims.ts';
import { type Page, parsePage } from '../../ingest/page.ts';
import { Store } from '../../ingest/store.ts';
import { userStatements } from '../../ingest/upsert.ts';
import { COLUMN_TYPES } from '../../lib/columns.ts';
import { USER_COLUMNS, type User } from '../../lib/user.ts';
import { COLUMNS, MERGE, STAGING, type World } from './world.ts';

/** Brings all users of the world into an empty table. */
export type Contender = { name: string; run(world: World): Promise<unknown> };

type Checked = Pick<Page, 'users' | 'rejected'>;

/** What a replica does with each page: claims it, takes it as `pageAt` gives it, and stores it. */
function ingest(replicas: number, pageAt: (world: World, index: number) => Checked | undefined) {
  return (world: World) => {
    const replica = async (name: string) => {
      const [claims, store] = [new Claims(world.pool, 'bench', name), new Store(world.pool, USER_COLUMNS)];
      for (;;) {
        const claim = await claims.take();
        const page = pageAt(world, claim.page - 1);
        if (!page) return;
        await store.writeClaimed({ ...page, source: 'bench' }, claim);
      }
    };
    return Promise.all(Array.from({ length: replicas }, (_, index) => replica(`ingest-${index}`)));
  };
}

/** The response's bytes, parsed and each user checked. */
function parsed({ pages }: World, index: number): Checked | undefined {
  const bytes = pages[index];
  return bytes && parsePage({ bytes, cut: undefined }, 'bench', []);
}

/** The same, parsed and checked beforehand: psql's rows are ready as well. */
function checked({ rows }: World, index: number): Checked | undefined {
  const users = rows[index];
  return users && { users, rejected: [] };
}

function psql(...args: string[]): ({ env }: World) => Promise<unknown> {
  const options = ['--no-psqlrc', '--quiet', '-v', 'ON_ERROR_STOP=1'];
  return ({ env }) => promisify(execFile)('psql', [...options, ...args], { env });
}

/** Of rows that are checked already, a page a statement. */
function eachPage(write: (world: World, users: User[]) => Promise<unknown>): Contender['run'] {
  return async (world) => {
    for (const users of world.rows) await write(world, users);
  };
}

const { source, upsert } = userStatements(USER_COLUMNS);
const ARRAYS = upsert('TRUE');
const TYPED = Object.entries(USER_COLUMNS).map(([name, type]) => `"${name}" ${COLUMN_TYPES[type].postgres}`);
const JSON_ROWS = ARRAYS.replace(source, `json_to_recordset($1) AS new (${TYPED.join(', ')})`);

const STAGED = (file: string) => ['-1', '-c', STAGING, '-c', `\\copy staging FROM '${file}'`, '-c', MERGE];

export const INGEST: Contender[] = [
  { name: 'ingest, checked pages, one replica', run: ingest(1, checked) },
  { name: 'ingest, checked pages, two replicas', run: ingest(2, checked) },
  { name: 'ingest, responses, one replica', run: ingest(1, parsed) },
  { name: 'ingest, responses, two replicas', run: ingest(2, parsed) },
];
export const PSQL: Contender = {
  name: 'psql, all rows staged, ON CONFLICT',
  run: (world) => psql(...STAGED(world.file))(world),
};
export const COPY: Contender = {
  name: 'psql, bare COPY',
  run: (world) => psql('-c', `\\copy users FROM '${world.file}'`)(world),
};

/** Ways to bring a page's checked rows in; the upsert from there on is the same. */
export const WAYS: Contender[] = [
  {
    name: 'binary arrays in one statement (ours)',
    run: eachPage(({ pool }, users) =>
      new Store(pool, USER_COLUMNS).write({ users, rejected: [], source: 'bench' }),
    ),
  },
  {
    name: 'arrays of texts in one statement',
    run: eachPage(({ pool }, users) =>
      pool.query(
        ARRAYS,
        COLUMNS.map((name) => users.map((user) => user[name as keyof User])),
      ),
    ),
  },
  {
    name: 'JSON in one statement',
    run: eachPage(({ pool }, users) => pool.query(JSON_ROWS, [JSON.stringify(users)])),
  },
  { name: 'psql, COPY to staging, a page at a time', run: (world) => psql('-f', world.script)(world) },
];

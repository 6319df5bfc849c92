import { Buckets } from './buckets.ts';
import { compare, type Difference, type Look, project, type Sides } from './compare.ts';
import type { Throttle } from './throttle.ts';

/**
 * Rows in a page at most. Of Postgres many, because to apply the SQL costs Spark a fifth of a second whatever the page;
 * of Cassandra, which can't cut a page by its bytes, fewer.
 */
const POSTGRES_PAGE = 10_000;
const CASSANDRA_PAGE = 250;
/** Ids in a page. */
const ID_PAGE = 5000;
/** Suspects that are looked into; where there are more, the sides differ widely and no list is of use. */
const MOST_SUSPECTS = 10_000;
/** How often in a row a user must differ, each time after the stream has carried all, while Postgres says the same. */
const CONFIRMATIONS = 2;
/** Looks at users that keep changing. */
const MOST_LOOKS = 10;

export type Outcome = {
  /** Users in Postgres, and rows that stand in Cassandra. */
  users: number;
  rows: number;
  differing: Difference[];
  /** Whether there were more suspects than are looked into. */
  more: boolean;
  /** Users that changed at each look. */
  unsettled: number;
};

export type AuditContext = {
  sides: Sides;
  throttle: Throttle;
  /** Resolves once what stands in Postgres has passed through the stream. */
  passed(): Promise<void>;
};

/**
 * Compares what the SQL makes of Postgres with Cassandra: all of it by buckets, then the users of the buckets that
 * differ, and of these the ones that still differ after the stream has passed.
 */
export async function audit(context: AuditContext): Promise<Outcome> {
  await context.passed();
  const { buckets, users, rows } = await fill(context);
  const found = buckets.differing > 0 ? await suspects(context, buckets) : [];
  const looked = found.slice(0, MOST_SUSPECTS);
  return { users, rows, more: found.length > looked.length, ...(await settle(context, looked)) };
}

/** Reads both sides once, one after the other. */
async function fill({ sides, throttle }: AuditContext) {
  const buckets = new Buckets();
  let users = 0;
  let rows = 0;
  for await (const page of sides.users.pages(POSTGRES_PAGE)) {
    users += page.length;
    for (const row of await project(sides, page)) buckets.add('postgres', row);
    await throttle.take(page.length);
  }
  for await (const page of sides.table.pages(CASSANDRA_PAGE)) {
    rows += page.length;
    for (const row of page) buckets.add('cassandra', row);
    await throttle.take(page.length);
  }
  return { buckets, users, rows };
}

/** The users of differing buckets that differ now, of whichever side: one more than are looked into at most. */
async function suspects({ sides, throttle }: AuditContext, buckets: Buckets): Promise<string[]> {
  const found: string[] = [];
  const inBuckets = (ids: string[]) => ids.filter((id) => buckets.differs(id));
  for await (const page of sides.users.idPages(ID_PAGE)) {
    const ids = inBuckets(page);
    found.push(...(await compare(sides, ids)).keys());
    await throttle.take(ids.length);
    if (found.length > MOST_SUSPECTS) return found;
  }
  for await (const page of sides.table.idPages(ID_PAGE)) {
    const ids = inBuckets(page);
    const existing = await sides.users.existing(ids);
    found.push(...ids.filter((id) => !existing.has(id)));
    await throttle.take(page.length);
    if (found.length > MOST_SUSPECTS) return found;
  }
  return found;
}

/** Tells users that differ from those that are only under way. */
async function settle({ sides, passed }: AuditContext, ids: readonly string[]) {
  const differing: Difference[] = [];
  let open = withCount(await compare(sides, ids), new Map());
  for (let look = 0; look < MOST_LOOKS && open.size > 0; look += 1) {
    await passed();
    open = withCount(await compare(sides, [...open.keys()]), open);
    for (const [id, { kind, count }] of open) {
      if (count < CONFIRMATIONS) continue;
      differing.push({ id, kind });
      open.delete(id);
    }
  }
  return { differing, unsettled: open.size };
}

type Counted = Look & { count: number };

/** The looks, each with how often in a row before it Postgres said the same and Cassandra something else. */
function withCount(looks: Map<string, Look>, before: Map<string, Counted>): Map<string, Counted> {
  const counted = [...looks].map(([id, look]) => {
    const earlier = before.get(id);
    return [id, { ...look, count: earlier?.source === look.source ? earlier.count + 1 : 0 }] as const;
  });
  return new Map(counted);
}

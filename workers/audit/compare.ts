import { isDeepStrictEqual } from 'node:util';
import { StageError } from '../lib/health.ts';
import { LONGEST_BODY, type Shape, type SparkDriver } from './driver.ts';
import { type Fault, fingerprint, type Row } from './row.ts';
import type { Table } from './table.ts';
import type { User, Users } from './users.ts';

export type Kind = 'changed' | 'missing' | 'extra' | Fault;
export type Difference = { id: string; kind: Kind };

/** A user on which the sides differ, and what Postgres said of it: its row's version, or that there is none. */
export type Look = { kind: Kind; source: string };

/** The two sides of a comparison, and the SQL between them. */
export type Sides = {
  users: Users;
  table: Table;
  /** What the SQL read and made at the beginning. */
  shape: Shape;
  driver: Pick<SparkDriver, 'project'>;
};

/** Ids read at a time; and how many of them the SQL is applied to at once, which costs Spark as much as for one. */
const IN_FLIGHT = 32;
const BATCH = 10_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * What the SQL makes of `users`; those of which there is no telling with their fault.
 * @throws {StageError} SqlChanged where it reads or makes other columns than at the beginning
 */
export async function project({ driver, shape }: Sides, users: readonly User[]): Promise<Row[]> {
  const rows: Row[] = users.flatMap(({ id, line }) =>
    line === null ? [{ id, values: [], fault: 'oversized' }] : [],
  );
  for (const lines of bodies(users)) {
    const { rows: made, ...now } = await driver.project(lines);
    if (!isDeepStrictEqual(now, shape))
      throw new StageError('Spark', 'SqlChanged', 'spark.sql has changed meanwhile; the audit begins anew');
    rows.push(...made);
  }
  return rows;
}

/** The lines of `users`, as many at a time as the driver takes. */
function* bodies(users: readonly User[]): Generator<string[]> {
  let lines: string[] = [];
  let bytes = 0;
  for (const { line } of users) {
    if (line === null) continue;
    const length = Buffer.byteLength(line) + 1;
    if (lines.length > 0 && bytes + length > LONGEST_BODY) {
      yield lines;
      [lines, bytes] = [[], 0];
    }
    lines.push(line);
    bytes += length;
  }
  if (lines.length > 0) yield lines;
}

/** Those of `ids` on which the sides differ now. */
export async function compare(sides: Sides, ids: readonly string[]): Promise<Map<string, Look>> {
  const found = new Map<string, Look>();
  for await (const { ids: some, present, users } of readings(sides, ids)) {
    const versions = new Map(users.map(({ id, version }) => [id, version]));
    const rows = await project(sides, users);
    const wanted = prints(rows);
    const faults = new Map(rows.map(({ id, fault }) => [id, fault]));
    for (const id of some) {
      const kind = faults.get(id) ?? difference(wanted.get(id), present.get(id));
      if (kind) found.set(id, { kind, source: versions.get(id) ?? 'absent' });
    }
  }
  return found;
}

type Reading = { ids: string[]; present: Map<string, string>; users: User[] };

/** Both sides of `ids`, a batch at a time. Cassandra is read first: what Postgres says then is no older. */
async function* readings({ table, users }: Sides, ids: readonly string[]): AsyncGenerator<Reading> {
  let reading: Reading = { ids: [], present: new Map(), users: [] };
  let bytes = 0;
  for (let start = 0; start < ids.length; start += IN_FLIGHT) {
    const some = ids.slice(start, start + IN_FLIGHT);
    for (const [id, print] of prints(await table.byIds(some))) reading.present.set(id, print);
    for (const user of await users.byIds(some)) {
      reading.users.push(user);
      bytes += user.line?.length ?? 0;
    }
    reading.ids.push(...some);
    if (reading.ids.length < BATCH && bytes < BATCH_BYTES) continue;
    yield reading;
    reading = { ids: [], present: new Map(), users: [] };
    bytes = 0;
  }
  if (reading.ids.length > 0) yield reading;
}

function prints(rows: readonly Row[]): Map<string, string> {
  return new Map(rows.map((row) => [row.id, fingerprint(row).toString('hex')]));
}

function difference(wanted: string | undefined, present: string | undefined): Kind | undefined {
  if (wanted === present) return undefined;
  if (wanted === undefined) return 'extra';
  return present === undefined ? 'missing' : 'changed';
}

import assert from 'node:assert/strict';
import type { Columns } from '../lib/columns.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { decode } from './avro.ts';
import type { TopicRecord } from './topic.ts';

export type Schemas = ReadonlyMap<number, Columns>;

/**
 * The users that stand after the last record of each key and the newest end of an epoch, which ends who was not written
 * since its version; as JSON of their rows. `schemas` are the columns of each schema id, all that are shown the last one's.
 */
export function finalState(records: TopicRecord[], schemas: Schemas = new Map()): Map<string, string> {
  const state = new Map<string, TopicRecord>();
  for (const record of records.filter(isUsers)) state.set(record.key, record);
  const start = epochEnds(records).at(-1)?.version ?? 0n;
  const standing = [...state].filter(([, record]) => record.value && versionOf(record) >= start);
  return new Map(standing.map(([id, { value }]) => [id, JSON.stringify(asRow(value as Buffer, schemas))]));
}

/** The control records that end epochs, in the order of versions. */
export function epochEnds(records: TopicRecord[]) {
  return records
    .filter((record) => !isUsers(record))
    .map((record) => ({
      partition: record.partition,
      version: versionOf(record),
      start: offsetsIn(record, 'epoch-start'),
      end: offsetsIn(record, 'epoch-end'),
    }))
    .sort((one, other) => Number(one.version - other.version));
}

function offsetsIn({ headers }: TopicRecord, header: string): Record<string, string> {
  return JSON.parse(headers[header] ?? '');
}

/** False for a control record, which is about no user. */
function isUsers({ headers }: TopicRecord): boolean {
  return headers['epoch-end'] === undefined;
}

function versionOf({ headers }: TopicRecord): bigint {
  return BigInt(headers['version'] ?? -1);
}

/** The row as `pg` gives it; null in the columns that its writer didn't know. */
function asRow(value: Buffer, schemas: Schemas): Record<string, unknown> {
  const { user } = decode(value, schemas.get(value.readUInt32BE(1)));
  const columns = [...schemas.values()].at(-1) ?? USER_COLUMNS;
  const entries = Object.entries(columns).map(([name, type]) => [name, shown(type, user[name] ?? null)]);
  return Object.fromEntries(entries);
}

function shown(type: Columns[string], value: unknown): unknown {
  if (value === null) return null;
  if (type === 'timestamp') return new Date(value as number).toISOString();
  return type === 'bigint' ? String(value) : value;
}

/** For each key: versions appear for the first time in rising order, and the last record is the newest. */
export function assertOrdered(records: TopicRecord[]): void {
  const highest = new Map<string, bigint>();
  const last = new Map<string, bigint>();
  const seen = new Set<string>();
  for (const record of records.filter(isUsers)) {
    const [key, version] = [record.key, versionOf(record)];
    const isNew = !seen.has(`${key} ${version}`);
    assert.ok(
      !isNew || version > (highest.get(key) ?? -1n),
      `${key}: ${version} appears after ${highest.get(key)}`,
    );
    seen.add(`${key} ${version}`);
    if (isNew) highest.set(key, version);
    last.set(key, version);
  }
  for (const [key, version] of last)
    assert.equal(version, highest.get(key), `${key}: its last record is not its newest`);
}

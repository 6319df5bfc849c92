import assert from 'node:assert/strict';
import { decode } from '../lib/avro.ts';
import type { TopicRecord } from './topic.ts';

/**
 * The users that stand after the last record of each key and the newest end of an epoch, which ends who was not written
 * since its version; as JSON of their rows.
 */
export function finalState(records: TopicRecord[]): Map<string, string> {
  const state = new Map<string, TopicRecord>();
  for (const record of records.filter(isUsers)) state.set(record.key, record);
  const start = epochEnds(records).at(-1)?.version ?? 0n;
  const standing = [...state].filter(([, record]) => record.value && versionOf(record) >= start);
  return new Map(standing.map(([id, { value }]) => [id, JSON.stringify(asRow(value as Buffer))]));
}

/** The control records that end epochs, in the order of versions. */
export function epochEnds(records: TopicRecord[]) {
  return records
    .filter((record) => !isUsers(record))
    .map((record) => ({
      partition: record.partition,
      version: versionOf(record),
      offsets: JSON.parse(record.headers['epoch-end'] ?? '') as Record<string, string>,
    }))
    .sort((one, other) => Number(one.version - other.version));
}

/** False for a control record, which is about no user. */
function isUsers({ headers }: TopicRecord): boolean {
  return headers['epoch-end'] === undefined;
}

function versionOf({ headers }: TopicRecord): bigint {
  return BigInt(headers['version'] ?? -1);
}

function asRow(value: Buffer): Record<string, unknown> {
  const { user } = decode(value);
  const time = (millis: unknown) => (millis === null ? null : new Date(millis as number).toISOString());
  return { ...user, dob: time(user.dob), registered_date: time(user.registered_date) };
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

import assert from 'node:assert/strict';
import { decode } from '../lib/avro.ts';
import type { TopicRecord } from './topic.ts';

/** The users that stand after the last record of each key, as JSON of their rows. */
export function finalState(records: TopicRecord[]): Map<string, string> {
  const state = new Map<string, string>();
  for (const { key, value } of records) {
    if (value) state.set(key, JSON.stringify(asRow(value)));
    else state.delete(key);
  }
  return state;
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
  for (const { key, headers } of records) {
    const version = BigInt(headers['version'] ?? -1);
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

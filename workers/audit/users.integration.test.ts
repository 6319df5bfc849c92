import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IngestBench } from '../test/ingest.ts';
import { type User, Users } from './users.ts';

describe('a user as the audit reads it from Postgres', () => {
  const bench = IngestBench.hook();

  const moments: [text: string, millis: number | null][] = [
    ['1815-12-10T00:00:00.123Z', Date.parse('1815-12-10T00:00:00.123Z')],
    ['0001-02-29T00:00:00Z BC', Date.parse('0000-02-29T00:00:00Z')],
    ['275760-09-13T00:00:00Z', 8_640_000_000_000_000],
    ['275760-09-13T00:00:00.001Z', null],
    ['294276-12-31T23:59:59Z', null],
    ['infinity', null],
    ['-infinity', null],
  ];
  for (const [text, millis] of moments) {
    test(`has the moment ${text} as the relay carries it`, async () => {
      await bench.pool.query('INSERT INTO users (id, dob) VALUES (gen_random_uuid(), $1)', [text]);
      const query = async <T>(statement: string, parameters: readonly unknown[] = []) =>
        (await bench.pool.query(statement, [...parameters])).rows as T[];
      const users = new Users(query, [['dob', 'timestamp']]);
      const { value } = await users.pages(10).next();
      assert.deepEqual(
        value?.map(({ line }: User) => JSON.parse(line ?? 'null')),
        [{ dob: millis }],
      );
    });
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import { IngestBench } from '../test/ingest.ts';
import { takeSnapshot } from './snapshot.ts';

describe('a snapshot', () => {
  const bench = IngestBench.hook();

  /** The ids of each page. */
  async function pages(): Promise<string[][]> {
    const client = await bench.pool.connect();
    const published: string[][] = [];
    const publish = async (changes: { id: string }[]) => void published.push(changes.map(({ id }) => id));
    try {
      const { signal } = new AbortController();
      await takeSnapshot(client, { columns: USER_COLUMNS, publish, signal });
      return published;
    } finally {
      client.release();
    }
  }

  const insert = (count: number, bytes: number) =>
    bench.pool.query(
      'INSERT INTO users (id, address) SELECT gen_random_uuid(), repeat($2, $3) FROM generate_series(1, $1)',
      [count, 'x', bytes],
    );

  const ids = async () =>
    (await bench.pool.query<{ id: string }>('SELECT id FROM users ORDER BY id')).rows.map(({ id }) => id);

  test('has pages of a thousand small rows, each row once', async () => {
    await insert(2500, 100);
    const published = await pages();
    assert.deepEqual(
      published.map(({ length }) => length),
      [1000, 1000, 500],
    );
    assert.deepEqual(published.flat(), await ids());
  });

  test('has pages of half a mebibyte of large rows, compressed or not, each row once', async () => {
    await bench.pool.query('DELETE FROM users');
    await insert(30, 200_000);
    await insert(1, 3_000_000);
    const published = await pages();
    assert.ok(published.every(({ length }) => length <= 3));
    assert.deepEqual(published.flat(), await ids());
  });
});

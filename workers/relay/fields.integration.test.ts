import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Field } from '../lib/columns.ts';
import { epochEnds } from '../test/records.ts';
import { RelayBench } from '../test/relay.ts';
import { until } from '../test/wait.ts';

const CELL: Field = { name: 'cell', type: 'text', path: 'cell' };
const LATITUDE: Field = { name: 'latitude', type: 'double', path: 'location.coordinates.latitude' };
const SEEN: Field = { name: 'seen', type: 'timestamp', path: 'seen' };
const AGE: Field = { name: 'age', type: 'bigint', path: 'dob.age' };
const ACTIVE: Field = { name: 'active', type: 'boolean', path: 'active' };
const NICK: Field = { name: 'nick', type: 'text', path: 'nick' };

describe('a field that a pipeline is given', () => {
  let bench: RelayBench = undefined as never;
  before(async () => {
    bench = await RelayBench.start();
    await bench.startRelay();
  });
  after(() => bench?.stop());

  test('flows from the first row that has it, without a restart', async () => {
    await bench.insert(100, 'Before');
    await bench.equal('before the first field');
    await bench.provisionFields([CELL]);
    await bench.db.query(`UPDATE users SET cell = '+' || phone WHERE first_name = 'Before'`);
    await bench.db.query(
      `INSERT INTO users (id, cell) SELECT gen_random_uuid(), n::text FROM generate_series(1, 100) AS n`,
    );
    await bench.equal('with the first field');
  });

  test('may have any type', async () => {
    await bench.provisionFields([CELL, LATITUDE, SEEN, AGE, ACTIVE]);
    await bench.db.query(
      `INSERT INTO users (id, latitude, seen, age, active) VALUES
         (gen_random_uuid(), -69.8246, '1815-12-10T00:00:00.123Z', 9007199254740990, true),
         (gen_random_uuid(), 1e-300, '0044-03-15 BC', -1, false),
         (gen_random_uuid(), NULL, NULL, NULL, NULL)`,
    );
    await bench.equal('with fields of every type');
  });

  test('is kept while rows are written all the time', async () => {
    let writing = true;
    const writer = async () => {
      for (let round = 0; writing; round += 1) await bench.insert(5, `Round ${round}`);
    };
    const written = writer();
    await bench.provisionFields([CELL, LATITUDE, SEEN, AGE, ACTIVE, { ...CELL, name: 'cell_two' }]);
    writing = false;
    await written;
    await bench.db.query(`UPDATE users SET cell_two = first_name`);
    await bench.equal('after a field came amid writes');
  });

  test('stays where it is no longer asked for', async () => {
    const { id } = await bench.subject.latest();
    await bench.provisionFields([]);
    assert.equal((await bench.subject.latest()).id, id);
    await bench.db.query(`UPDATE users SET cell = 'kept' WHERE cell IS NOT NULL`);
    await bench.equal('after the fields were taken away');
  });

  test('is refused by the registry with another type, and nothing is altered', async () => {
    const { id } = await bench.subject.latest();
    await assert.rejects(bench.provisionFields([{ ...CELL, type: 'bigint' }, NICK]), {
      stage: 'SchemaRegistry',
      reason: 'SchemaIncompatible',
      message: /spec\.fields: cell is bigint, but was registered as text/,
    });
    assert.equal((await bench.subject.latest()).id, id);
    const { rows } = await bench.db.query(
      `SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'nick'`,
    );
    assert.deepEqual(rows, []);
  });

  test('is refused with a type that Avro alone would read', async () => {
    await assert.rejects(bench.provisionFields([{ ...AGE, type: 'double' }]), {
      reason: 'SchemaIncompatible',
    });
  });

  test('that the table had already is published anew, with all it holds', async () => {
    await bench.db.query('ALTER TABLE users ADD COLUMN nick text');
    await bench.db.query(`UPDATE users SET nick = 'nick of ' || first_name`);
    await bench.equal('while the column is somebody else’s');
    const before = epochEnds(bench.users.records).length;
    await bench.provisionFields([NICK]);
    await bench.equal('after the column became a field');
    await until('the end of the new epoch', () => epochEnds(bench.users.records).length > before);
    await bench.insert(3, 'After');
    await bench.equal('in the new epoch');
  });

  test('is refused where the table has a column of that name and another type', async () => {
    await bench.db.query('ALTER TABLE users ADD COLUMN taken int');
    await assert.rejects(bench.provisionFields([{ ...NICK, name: 'taken' }]), {
      reason: 'TableUnexpected',
      message: /column taken is of type integer, not text/,
    });
  });

  test('is not taken for the column of somebody else in whose place it came', async () => {
    await bench.db.query('ALTER TABLE users ADD COLUMN swapped text');
    await bench.db.query(`UPDATE users SET swapped = 'somebody else’s'`);
    await bench.equal('with the column of somebody else');
    await bench.db.query('ALTER TABLE users DROP COLUMN swapped');
    await bench.provisionFields([{ ...NICK, name: 'swapped' }]);
    await bench.db.query(`UPDATE users SET swapped = 'ours'`);
    await bench.equal('with the field in its place');
  });

  test('a column that came and went while the relay was away stops nothing', async () => {
    const before = epochEnds(bench.users.records).length;
    await bench.relay.end('SIGTERM');
    await bench.db.query('ALTER TABLE users ADD COLUMN passing text');
    await bench.insert(10, 'Passing');
    await bench.db.query('ALTER TABLE users DROP COLUMN passing');
    await bench.startRelay();
    await bench.equal('after a column came and went');
    assert.equal(epochEnds(bench.users.records).length, before, 'and sends nobody again');
  });

  const rewrite = `ALTER TABLE users ALTER COLUMN phone TYPE text USING phone || '!'`;
  for (const [when, isAway] of [
    ['under the relay', false],
    ['while the relay was away', true],
  ] as const) {
    test(`whose values an ALTER TABLE changed ${when} is sent again, with all users`, async () => {
      const before = epochEnds(bench.users.records).length;
      if (isAway) await bench.relay.end('SIGTERM');
      await bench.db.query(rewrite);
      if (isAway) await bench.startRelay();
      await until('the end of a new epoch', () => epochEnds(bench.users.records).length > before);
      await bench.equal('after the column was rewritten');
      await bench.insert(3, 'After');
      await bench.equal('in the new epoch');
    });
  }
});

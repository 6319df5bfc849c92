import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StageError } from '../lib/health.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { decode } from '../test/avro.ts';
import { insert, relation, remove, update } from '../test/pgoutput.ts';
import { ChangeReader } from './changes.ts';
import { TableAltered } from './schema.ts';

const [UUID, TEXT] = [2950, 25];
/** Where stands what was written when the schema was read. */
const AS_OF = 1000n;
const ada = ['ada', '1'];
const grace = ['grace', '2'];

function readerOf(table = relation('users', { id: UUID, phone: TEXT })): ChangeReader {
  const reader = new ChangeReader({ columns: USER_COLUMNS, asOf: AS_OF, namespace: 'public' });
  reader.describe(table);
  return reader;
}

/** Each change as its id and the phone number, or null where the user is gone. */
function changes(message: Buffer, reader = readerOf()): unknown[] {
  return reader
    .read(message, 5n, 1000)
    .map(({ id, encode }) => [id, encode ? decode(encode(1)).user.phone : null]);
}

describe('the changes of a WAL message', () => {
  test('have the time of their commit, and tell which row begins', () => {
    const reader = readerOf();
    const messages = [insert(ada), update(['O', ada], ada), update(['O', ada], grace), remove('O', grace)];
    const read = messages.flatMap((message) => reader.read(message, 5n, 1000));
    assert.ok(read.every(({ committedAt }) => committedAt === 1000));
    const begins = read.map(({ isNew }) => isNew);
    assert.deepEqual(begins, [true, false, false, true, false]);
  });

  const cases: [what: string, message: Buffer, changes: unknown[]][] = [
    ['an insert is an upsert', insert(ada), [['ada', '1']]],
    ['an update is an upsert of the new row', update(['O', ada], ['ada', null]), [['ada', null]]],
    ['a value that the update left alone is the old row’s', update(['O', ada], ['ada', undefined]), [ada]],
    ['so is one that was null', update(['O', ['ada', null]], ['ada', undefined]), [['ada', null]]],
    ['an update of the key ends the old user first', update(['O', ada], grace), [['ada', null], grace]],
    ['also with the old key alone', update(['K', ['ada', null]], grace), [['ada', null], grace]],
    ['a delete is an end', remove('O', ada), [['ada', null]]],
    ['a delete by its key is an end', remove('K', ['ada', null]), [['ada', null]]],
    ['a message about no row is none', Buffer.from('T\0\0\0\x01\0\0\0@\x10'), []],
  ];
  for (const [what, message, expected] of cases) {
    test(what, () => assert.deepEqual(changes(message), expected));
  }

  test('another table’s rows are none', () => {
    assert.deepEqual(changes(insert(ada), readerOf(relation('rejected_users', { id: UUID }))), []);
    assert.deepEqual(changes(insert(ada), readerOf(relation('users', { id: UUID }, 'backup'))), []);
  });

  test('follow a table whose columns changed', () => {
    const reader = readerOf();
    reader.describe(relation('users', { nick: TEXT, phone: TEXT, id: UUID }));
    assert.deepEqual(changes(insert(['countess', '1', 'ada']), reader), [['ada', '1']]);
  });

  test('are not read where the table has a column that may have come since the schema was read', () => {
    const reader = readerOf(relation('users', { id: UUID, phone: TEXT, constructor: TEXT }));
    assert.throws(() => reader.read(insert([...ada, 'x']), AS_OF, 0), TableAltered);
    assert.throws(() => reader.read(insert([...ada, 'x']), AS_OF + 1n, 0), TableAltered);
  });

  test('are read without a column that the table had before, until it is described anew', () => {
    const described = relation('users', { id: UUID, phone: TEXT, cell: TEXT });
    const reader = readerOf(described);
    assert.equal(reader.read(insert([...ada, 'x']), AS_OF - 1n, 0).length, 1);
    assert.equal(reader.read(insert([...ada, 'x']), AS_OF + 1n, 0).length, 1);
    reader.describe(described);
    assert.throws(() => reader.read(insert([...ada, 'x']), AS_OF + 2n, 0), TableAltered);
  });

  const refusals: [what: string, read: () => unknown, reason: string][] = [
    [
      'an update with holes that no old row fills',
      () => changes(update(undefined, ['ada', undefined])),
      'ReplicaIdentityNotFull',
    ],
    [
      'one with only the old key',
      () => changes(update(['K', ['ada', null]], ['ada', undefined])),
      'ReplicaIdentityNotFull',
    ],
    ['a row without an id', () => changes(insert([null, '1'])), 'TableUnexpected'],
    ['a table without an id', () => readerOf(relation('users', { phone: TEXT })), 'TableUnexpected'],
    ['an id of another type', () => readerOf(relation('users', { id: TEXT })), 'TableUnexpected'],
    [
      'a timestamp of another type',
      () => readerOf(relation('users', { id: UUID, dob: 1114 })),
      'TableUnexpected',
    ],
  ];
  for (const [what, read, reason] of refusals) {
    test(`${what} is refused, not published`, () => {
      assert.throws(read, (error) => error instanceof StageError && error.reason === reason);
    });
  }
});

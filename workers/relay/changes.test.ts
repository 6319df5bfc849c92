import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pgoutput } from 'pg-logical-replication';
import { StageError } from '../lib/health.ts';
import { changesOf } from './changes.ts';

const relation = { name: 'users', schema: 'public' } as Pgoutput.MessageRelation;
const [ada, grace] = [
  { id: 'ada', phone: '1' },
  { id: 'grace', phone: '2' },
];
const of = (message: object) => changesOf({ relation, ...message } as Pgoutput.Message, 5n, 1000);

describe('the changes of a WAL message', () => {
  test('an insert is an upsert with the version and the time of its commit', () => {
    assert.deepEqual(of({ tag: 'insert', new: ada }), [
      { id: 'ada', row: ada, version: 5n, committedAt: 1000 },
    ]);
  });

  test('an update is an upsert of the new row', () => {
    const changes = of({ tag: 'update', key: null, old: ada, new: { ...ada, phone: null } });
    assert.deepEqual(
      changes.map(({ id, row }) => [id, row]),
      [['ada', { id: 'ada', phone: null }]],
    );
  });

  test('an update of the key ends the old user, then begins the new one', () => {
    for (const before of [
      { key: null, old: ada },
      { key: { id: 'ada' }, old: null },
    ]) {
      const changes = of({ tag: 'update', ...before, new: grace });
      assert.deepEqual(
        changes.map(({ id, row }) => [id, row]),
        [
          ['ada', null],
          ['grace', grace],
        ],
      );
    }
  });

  test('a delete is an end', () => {
    assert.deepEqual(
      of({ tag: 'delete', key: null, old: ada }).map(({ id, row }) => [id, row]),
      [['ada', null]],
    );
  });

  test('another table’s rows, and messages about no row, are none', () => {
    assert.deepEqual(of({ tag: 'insert', relation: { name: 'rejected_users' }, new: ada }), []);
    assert.deepEqual(of({ tag: 'relation', name: 'users' }), []);
    assert.deepEqual(of({ tag: 'truncate', relations: [relation] }), []);
  });

  test('an update whose large values are not in the WAL is refused, not published with holes', () => {
    assert.throws(
      () => of({ tag: 'update', key: null, old: null, new: { id: 'ada', phone: undefined } }),
      (error) => error instanceof StageError && error.reason === 'ReplicaIdentityNotFull',
    );
  });
});

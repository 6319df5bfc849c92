import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, EncodeError, encode, toAvroUser, USER_SCHEMA } from './avro.ts';

const ID = '5b2fd4d6-3a09-4d1c-9b9c-3f3a3a5a0001';
const row = { id: ID, first_name: 'Ада 🦀', dob: new Date('1815-12-10T00:00:00.123Z'), email: null };

describe('the Avro record of a user', () => {
  test('has Confluent’s prefix: a zero and the schema’s id', () => {
    const value = encode(258, toAvroUser(row));
    assert.deepEqual([...value.subarray(0, 5)], [0, 0, 0, 1, 2]);
  });

  test('comes back as it was, with null for what the row lacks', () => {
    const { schemaId, user } = decode(encode(7, toAvroUser(row)));
    assert.equal(schemaId, 7);
    assert.deepEqual([user.id, user.first_name], [ID, 'Ада 🦀']);
    assert.equal(user.dob, Date.parse('1815-12-10T00:00:00.123Z'));
    assert.deepEqual([user.email, user.phone], [null, null]);
  });

  test('holds values larger than the buffer it starts with', () => {
    const large = 'x'.repeat(1_000_000);
    assert.equal(decode(encode(1, toAvroUser({ ...row, address: large }))).user.address, large);
    assert.equal(decode(encode(1, toAvroUser(row))).user.first_name, 'Ада 🦀');
  });

  test('names the column that does not fit', () => {
    // What pg makes of the timestamp `infinity`.
    assert.throws(
      () => encode(1, toAvroUser({ ...row, dob: Number.POSITIVE_INFINITY })),
      (error: Error) => {
        return error instanceof EncodeError && /^dob: Infinity does not fit/.test(error.message);
      },
    );
  });

  test('lets every field but the id be null, null first, so that fields can be added', () => {
    const [id, ...others] = USER_SCHEMA.fields;
    assert.deepEqual(id, { name: 'id', type: { type: 'string', logicalType: 'uuid' } });
    assert.ok(others.every((field) => Array.isArray(field.type) && field.type[0] === 'null'));
  });
});

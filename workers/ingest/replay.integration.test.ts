import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../lib/user.ts';
import { NATIONALITIES } from '../source/nationalities.ts';
import { sourceUser } from '../source/users.ts';
import { IngestBench } from '../test/ingest.ts';
import { runToEnd } from '../test/process.ts';
import { checkUser } from './check.ts';
import { replayRejected } from './replay.ts';
import { Store } from './store.ts';

const sent = (index: number, fields: object = {}) => ({
  ...sourceUser('replay', NATIONALITIES, index),
  ...fields,
});
const rowOf = (value: unknown) => {
  const checked = checkUser(value, []);
  assert.ok('user' in checked);
  return checked.user;
};

describe('replaying rejected users', () => {
  const bench = IngestBench.hook();

  async function reject(...raws: (Buffer | object)[]) {
    const bytes = raws.map((raw) => (Buffer.isBuffer(raw) ? raw : Buffer.from(JSON.stringify(raw))));
    const rejected = bytes.map((raw) => ({ reason: 'the rules of then', raw }));
    await new Store(bench.pool, USER_COLUMNS).write({ users: [], rejected, source: 'http://source/' });
  }
  const left = async () =>
    (await bench.pool.query('SELECT reason, raw FROM rejected_users ORDER BY id')).rows.map(
      ({ reason, raw }) => [reason.split(':')[0], String(raw)],
    );
  const emails = async () =>
    (await bench.pool.query('SELECT email FROM users ORDER BY email')).rows.map(({ email }) => email);

  test('who is valid by now moves to the users, who is not stays with the reason of now', async () => {
    await reject(sent(1, { email: 'one' }), { picture: null }, sent(2, { email: 'two' }), Buffer.from('{"a'));
    assert.deepEqual(await replayRejected(bench.pool, false, []), { accepted: 2, standing: 0, rejected: 2 });
    assert.deepEqual(await emails(), ['one', 'two']);
    assert.deepEqual(await left(), [
      ['login', '{"picture":null}'],
      ['is not JSON', '{"a'],
    ]);
  });

  test('who stands there otherwise is left alone, unless he is to be overwritten', async () => {
    const users = [rowOf(sent(1, { email: 'new' })), rowOf(sent(2, { email: 'same' }))];
    await new Store(bench.pool, USER_COLUMNS).write({ users, rejected: [], source: '' });
    await reject(sent(1, { email: 'old' }), sent(2, { email: 'same' }));
    assert.deepEqual(await replayRejected(bench.pool, false, []), { accepted: 1, standing: 1, rejected: 0 });
    assert.deepEqual(await emails(), ['new', 'same']);
    assert.match((await left())[0]?.[0], /^is valid, but the user stands in users otherwise/);
    assert.deepEqual(await replayRejected(bench.pool, true, []), { accepted: 1, standing: 0, rejected: 0 });
    assert.deepEqual(await emails(), ['old', 'same']);
    assert.equal(await bench.count('rejected_users'), 0);
  });

  test('two at once take no user up twice, and leave none out', async () => {
    await reject(...Array.from({ length: 1234 }, (_, index) => sent(index)));
    const both = await Promise.all([
      replayRejected(bench.pool, false, []),
      replayRejected(bench.pool, false, []),
    ]);
    assert.equal(both[0].accepted + both[1].accepted, 1234);
    assert.equal(await bench.count('users'), 1234);
    assert.equal(await bench.count('rejected_users'), 0);
  });

  test('is a command that says what it did', async () => {
    await reject(sent(1), { name: 'no id' });
    const { code, output } = await runToEnd('ingest', {
      ...bench.options('http://127.0.0.1:1/'),
      program: 'replay-rejected.ts',
    });
    assert.equal(code, 0, output);
    assert.match(output, /^1 rejected users are taken up, 1 are still rejected$/m);
  });
});

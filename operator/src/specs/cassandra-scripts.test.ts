import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../../test/until.ts';
import { OPERATION, OPERATIONS } from './cassandra-scripts.ts';

/** Stands in nodetool's place: says that it was called, then ends as it is told to. */
const COMMAND = `echo "$@" >>"$1/calls"
until [ -e "$1/end" ]; do sleep 0.02; done
echo some last words
exit "$(cat "$1/end")"
`;

describe('an operation', () => {
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'userstream-operation-'));
    const moved = OPERATION.replaceAll(OPERATIONS, join(home, 'operations')).replaceAll(
      '/etc/cassandra',
      home,
    );
    writeFileSync(join(home, 'operation.sh'), moved);
    writeFileSync(join(home, 'nodetool.sh'), COMMAND);
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  function prepared(id: string) {
    const place = join(home, id);
    mkdirSync(place);
    const answer = (...command: string[]) =>
      execFileSync('sh', [join(home, 'operation.sh'), id, ...command], { encoding: 'utf8' }).trim();
    const ask = () => answer(place, 'cleanup');
    const end = (code: number) => writeFileSync(join(place, 'end'), String(code));
    const calls = () => readFileSync(join(place, 'calls'), 'utf8').trim().split('\n').length;
    return { ask, peek: () => answer(), end, calls, begun: () => existsSync(join(place, 'calls')) };
  }

  test('runs apart from who asks, is done in the end, and is not begun twice', async () => {
    const { ask, end, calls, begun } = prepared('good');
    assert.equal(ask(), 'running');
    await until('it is begun', begun);
    assert.equal(ask(), 'running');
    end(0);
    await until('it is done', () => ask() === 'done');
    assert.equal(calls(), 1);
  });

  test('is asked about without being begun', async () => {
    const { ask, peek, end, begun } = prepared('peeked');
    assert.equal(peek(), 'none');
    assert.equal(begun(), false);
    ask();
    assert.equal(peek(), 'running');
    end(0);
    await until('it is done', () => peek() === 'done');
  });

  test('that fails tells its last words, and is begun anew after a minute', async () => {
    const { ask, end, calls, begun } = prepared('bad');
    ask();
    await until('it is begun', begun);
    end(2);
    await until('it has failed', () => ask() === 'failed\nsome last words');
    assert.equal(calls(), 1);
    const past = new Date(Date.now() - 120_000);
    utimesSync(join(home, 'operations', 'bad', 'failed'), past, past);
    assert.equal(ask(), 'running');
    await until('it is begun anew', () => calls() === 2);
  });
});

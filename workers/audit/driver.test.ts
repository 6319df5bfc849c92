import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listen, sendJson } from '../lib/http.ts';
import { freePort } from '../test/wait.ts';
import { LONGEST_BODY, SparkDriver } from './driver.ts';

const { signal } = new AbortController();

/** What `ask` gets of a driver that answers all with `code` and `body`. */
async function answered<T>(
  code: number,
  body: unknown,
  ask: (driver: SparkDriver) => Promise<T>,
): Promise<T> {
  const server = await listen((_, response) => sendJson(response, code, body), 0);
  try {
    return await ask(new SparkDriver(`http://127.0.0.1:${server.port}`, signal));
  } finally {
    await server.close();
  }
}

const read = (driver: SparkDriver) => driver.readToEndAgoMs();
const project = (driver: SparkDriver) => driver.project([]);
const starting = { ready: false, reason: 'Starting', message: 'the first micro-batch is under way' };

describe('Spark’s driver', () => {
  test('says how long ago it has read to the end', async () =>
    assert.equal(await answered(200, { figures: { readToEndAgoMs: 7 } }, read), 7));

  test('has not read to the end as long as it isn’t ready', async () =>
    assert.equal(await answered(503, starting, read), undefined));

  test('says why it can’t apply the SQL', () =>
    assert.rejects(answered(503, starting, project), {
      reason: 'Starting',
      message: "Spark's driver: the first micro-batch is under way",
    }));

  test('tells on which users the SQL throws an error', async () => {
    const head = { view: [], columns: [['n', 'int']] };
    const lines = [head, ['a', '1'], { id: 'b', fault: 'column n' }];
    const server = await listen(
      (_, response) => response.end(lines.map((line) => JSON.stringify(line)).join('\n')),
      0,
    );
    const { rows } = await new SparkDriver(`http://127.0.0.1:${server.port}`, signal)
      .project(['{}'])
      .finally(() => server.close());
    assert.deepEqual(rows, [
      { id: 'a', values: ['1'] },
      { id: 'b', values: [], fault: 'failing' },
    ]);
  });

  test('takes as much at a time as it is sent', () => {
    const server = readFileSync(join(import.meta.dirname, '../spark/server.py'), 'utf8');
    const [, factors = ''] = /^LONGEST_BODY = ([\d *]+)$/m.exec(server) ?? [];
    const bytes = factors.split('*').reduce((product, factor) => product * Number(factor), 1);
    assert.equal(bytes, LONGEST_BODY);
  });

  test('may name no column that is more than a name', () =>
    assert.rejects(answered(200, { view: [['id"; --', 'string']], columns: [] }, project)));

  test('may be down', async () => {
    const driver = new SparkDriver(`http://127.0.0.1:${await freePort()}`, signal);
    await assert.rejects(driver.project([]), { reason: 'SparkUnreachable' });
  });
});

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type TemporaryDirectory, temporaryDirectory } from '../test/directory.ts';
import { parseNationalities } from './nationalities.ts';
import { openServed } from './served-log.ts';

const ALL = parseNationalities('');
const range = (seed: string, from: number, to: number) => ({ seed, nat: '', from, to });
const textOf = (...ranges: object[]) => ranges.map((each) => `${JSON.stringify(each)}\n`).join('');

describe('the list of served users in a file', () => {
  let home: TemporaryDirectory;
  let file: string;
  beforeEach(async () => {
    home = await temporaryDirectory('served');
    file = join(home.path, 'served.jsonl');
  });
  afterEach(() => home.remove());

  test('is the same after a restart, with all fields of all users', async () => {
    const before = await openServed(file);
    before.add('a', ALL, { from: 0, to: 10 });
    before.add('a', parseNationalities('ua,fr'), { from: 5, to: 10 });
    before.add('b', ALL, { from: 20, to: 30 });
    const after = await openServed(file);
    assert.equal(after.count(), 25);
    assert.deepEqual([...after.users()], [...before.users()]);
  });

  test('grows only by what was not served before, and is written anew in few lines', async () => {
    const served = await openServed(file);
    for (const [from, to] of [
      [0, 10],
      [10, 20],
      [5, 15],
      [7, 7],
    ] as const)
      served.add('a', ALL, { from, to });
    assert.equal(await readFile(file, 'utf8'), textOf(range('a', 0, 10), range('a', 10, 20)));
    await openServed(file);
    assert.equal(await readFile(file, 'utf8'), textOf(range('a', 0, 20)));
  });

  test('may end in a line that was cut off, which the next one doesn’t run into', async () => {
    await writeFile(file, `${textOf(range('a', 0, 10))}{"seed":"a","na`);
    const served = await openServed(file);
    served.add('a', ALL, { from: 20, to: 30 });
    assert.equal((await openServed(file)).count(), 20);
  });

  test('is refused with another line broken, and left as it is', async () => {
    const text = `${textOf(range('a', 0, 10))}?\n${textOf(range('a', 10, 20))}`;
    await writeFile(file, text);
    await assert.rejects(openServed(file), /served\.jsonl: line 2 is not a range/);
    assert.equal(await readFile(file, 'utf8'), text);
  });
});

import { appendFileSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Served, type ServedRange } from './served.ts';

const line = z.object({ seed: z.string(), nat: z.string(), from: z.number().int(), to: z.number().int() });

/**
 * What was served by all sources that kept their list in `file`, a JSON line a range; what is served from now on is
 * appended. The file is made if there is none, and written anew in as few lines as it takes.
 * @throws when the file can't be read or written, or a line but the last is not a range.
 */
export async function openServed(file: string): Promise<Served> {
  // Written at once, so that a source that is killed in the next moment has it noted.
  const served = new Served((range) => appendFileSync(file, textOf(range)));
  for await (const range of read(file)) served.restore(range);
  const next = `${file}.new`;
  await writeFile(next, lines(served));
  await rename(next, file);
  return served;
}

async function* read(file: string): AsyncGenerator<ServedRange> {
  const handle = await open(file, 'a+');
  let [number, broken] = [0, 0];
  for await (const text of handle.readLines({ start: 0 })) {
    number += 1;
    if (broken > 0) throw new Error(`${file}: line ${broken} is not a range; remove it`);
    const range = parse(text);
    if (range) yield range;
    // The last line may have been cut off by the end of the one who wrote it.
    else broken = number;
  }
}

function parse(text: string): ServedRange | undefined {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function* lines(served: Served): Generator<string> {
  for (const range of served.ranges()) yield textOf(range);
}

function textOf(range: ServedRange): string {
  return `${JSON.stringify(range)}\n`;
}

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { isGone } from './errors.ts';
import { readWatchEvents } from './watch-stream.ts';

async function names(chunks: Buffer[]): Promise<string[]> {
  const read: string[] = [];
  for await (const event of readWatchEvents(Readable.from(chunks), 'WATCH /x')) {
    read.push(`${event.type} ${event.object.metadata.name}`);
  }
  return read;
}

const line = (type: string, name: string) => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;

test('events are whole whatever the chunks, and what was cut off is dropped', async () => {
  const bytes = Buffer.from(`${line('ADDED', 'größe')}${line('DELETED', 'b')}{"type":"ADD`);
  for (const size of [1, 7, bytes.length]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    assert.deepEqual(await names(chunks), ['ADDED größe', 'DELETED b']);
  }
});

test('an ERROR event is thrown with its code', async () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' };
  const event = Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
  await assert.rejects(names([event]), (error) => isGone(error) && /too old/.test(String(error)));
});

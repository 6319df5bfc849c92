import type { Readable } from 'node:stream';
import { statusError } from './errors.ts';
import type { KubeObject } from './object.ts';

export type WatchEvent<T> = { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T };

/**
 * The events of a watch's answer, one JSON document a line. An ERROR event is thrown as an ApiError.
 * A last line without its end was cut off and is dropped: the watch resumes before it.
 */
export async function* readWatchEvents<T extends KubeObject>(
  stream: Readable,
  request: string,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(stream)) {
    const event = JSON.parse(line);
    if (event.type === 'ERROR') throw statusError(event.object, 500, request);
    yield event;
  }
}

async function* lines(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let parts: string[] = [];
  for await (const chunk of stream as AsyncIterable<string>) {
    const [first = '', ...rest] = chunk.split('\n');
    parts.push(first);
    for (const next of rest) {
      const line = parts.join('');
      if (line) yield line;
      parts = [next];
    }
  }
}

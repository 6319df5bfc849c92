import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sendJson } from '../lib/http.ts';
import { parseQuery, type Query, selectFields } from './query.ts';
import type { Served } from './served.ts';
import { sourceUser } from './users.ts';
import { Window } from './window.ts';

export type SourceOptions = {
  /** How many users each seed has, and how many there are without a seed. */
  limit: number;
  rate: { users: number; perMs: number };
  now: () => number;
  /** What was served before; it takes in what is served from now on. */
  served: Served;
};

const API_PATHS = new Set(['/api', '/api/', '/api/1.4', '/api/1.4/']);

/**
 * Answers as the API does: `/api/1.4/` and `/api/` with users, 429 past an address's rate; besides, `/served` lists the
 * distinct users served so far (a JSON line each; `?seed=` those of that seed), `/served/count` counts them and `/healthz` answers 200.
 */
export function sourceListener(options: SourceOptions): RequestListener {
  const source = new Source(options);
  return (request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://source');
    if (!url) return sendJson(response, 400, { error: `${request.url} is no path; users are at /api/1.4/` });
    if (API_PATHS.has(url.pathname)) return source.answer(request, response, parseQuery(url.searchParams));
    if (url.pathname === '/served')
      return void sendLines(response, options.served.users(url.searchParams.getAll('seed')));
    if (url.pathname === '/served/count') return sendJson(response, 200, { users: options.served.count() });
    if (url.pathname === '/healthz') return sendJson(response, 200, { alive: true });
    sendJson(response, 404, { error: 'users are at /api/1.4/' });
  };
}

class Source {
  readonly #options: SourceOptions;
  readonly #windows = new Map<string, Window>();
  #unseeded = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  answer(request: IncomingMessage, response: ServerResponse, query: Query): void {
    const waitMs = this.#spend(request.socket.remoteAddress ?? '', query.results);
    if (waitMs > 0) {
      response.setHeader('retry-after', Math.ceil(waitMs / 1000));
      sendJson(response, 429, { error: `too many users for now, come again in ${waitMs} ms` });
      return;
    }
    const range = this.#range(query);
    const results = [];
    for (let index = range.from; index < range.to; index += 1) {
      results.push(selectFields(sourceUser(query.seed, query.nationalities, index), query));
    }
    // A response that never left was not served: who asked without a seed can't ask for it again.
    response.once('finish', () => this.#options.served.add(query.seed, query.nationalities, range));
    const { seed, page } = query;
    sendJson(response, 200, { results, info: { seed, results: results.length, page, version: '1.4' } });
  }

  /** The users of the query's page, as far as the limit leaves them; without a seed the limit counts all together. */
  #range({ results, page, seeded }: Query): { from: number; to: number } {
    const from = (page - 1) * results;
    if (seeded) return { from, to: Math.max(from, Math.min(from + results, this.#options.limit)) };
    const count = Math.min(results, this.#options.limit - this.#unseeded);
    this.#unseeded += count;
    return { from, to: from + count };
  }

  /** Takes `users` from the address's budget; when they don't fit, answers how long until they will. */
  #spend(address: string, users: number): number {
    const window = this.#windows.get(address) ?? new Window(this.#options.rate);
    this.#windows.set(address, window);
    const now = this.#options.now();
    const waitMs = window.waitMs(users, now);
    if (waitMs === 0) window.spend(users, now);
    return waitMs;
  }
}

async function sendLines(response: ServerResponse, objects: Iterable<unknown>) {
  response.writeHead(200, { 'content-type': 'application/jsonl; charset=utf-8' });
  const lines = function* () {
    for (const object of objects) yield `${JSON.stringify(object)}\n`;
  };
  // A reader who left early is no fault of ours.
  await pipeline(Readable.from(lines()), response).catch(() => {});
}

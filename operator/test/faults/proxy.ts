import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import type { ApiServer } from '../apiserver.ts';
import { type Answer, isEvent, isWrite, type Sent, type Tap } from './tap.ts';

/** The sender that the API server's audit log has for all that comes through a proxy. */
export const USER_AGENT = 'operator-under-test';

/** A wire between the operators of one run and the API server, which counts and may do harm. */
export class FaultProxy {
  readonly sent: Sent[] = [];
  tap: Tap = {};
  readonly #agent: Agent;
  readonly #target: URL;
  readonly #headers: Record<string, string>;
  readonly #server = createServer((incoming, outgoing) => void this.#handle(incoming, outgoing));
  #writes = 0;
  #lastWrite = performance.now();

  constructor(api: ApiServer) {
    const config = parse(readFileSync(api.kubeconfig, 'utf8'));
    const ca = Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64');
    this.#agent = new Agent({ keepAlive: true, ca });
    this.#headers = { authorization: `Bearer ${config.users[0].user.token}`, 'user-agent': USER_AGENT };
    this.#target = new URL(api.url);
  }

  /** Answers its own address; a process appends its name as the path, and is known by it. */
  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
    this.#agent.destroy();
  }

  /** Begins to count writes at 1 again. */
  restart(): void {
    this.#writes = 0;
  }

  /** How many writes the run has seen since it began to count. */
  get writes(): number {
    return this.#writes;
  }

  /** Milliseconds since the last write. */
  get quietMs(): number {
    return performance.now() - this.#lastWrite;
  }

  /** Counts the quiet from now: what has just been let through may cause writes. */
  stir(): void {
    this.#lastWrite = performance.now();
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    try {
      const sent = this.#note(incoming, await text(incoming));
      const own = await this.tap.request?.(sent);
      if (own === 'drop') outgoing.destroy();
      else if (own) this.#answer(sent, own, outgoing);
      else if (sent.query.has('watch')) await this.#stream(sent, outgoing);
      else await this.#passOn(sent, incoming, outgoing);
    } catch {
      outgoing.destroy();
    }
  }

  #note(incoming: IncomingMessage, body: string): Sent {
    const url = new URL(incoming.url ?? '/', 'http://proxy');
    const [, by = '', ...rest] = url.pathname.split('/');
    const path = `/${rest.join('/')}`;
    const sent: Sent = {
      by,
      method: incoming.method ?? '',
      path,
      query: url.searchParams,
      accept: incoming.headers.accept ?? 'application/json',
      body,
      at: performance.now(),
    };
    if (isWrite(sent)) this.#lastWrite = sent.at;
    if (isWrite(sent) && !isEvent(sent)) sent.write = ++this.#writes;
    this.sent.push(sent);
    return sent;
  }

  async #passOn(sent: Sent, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const type = incoming.headers['content-type'];
    const response = await this.#send(sent, type ? { 'content-type': type } : {});
    const answer: Answer = {
      code: response.statusCode ?? 0,
      headers: kept(response),
      body: await text(response),
    };
    sent.code = answer.code;
    if (isWrite(sent)) this.stir();
    const harm = this.tap.response?.(sent, answer);
    if (harm === 'lose') outgoing.destroy();
    else if (harm === 'cut') cutShort(answer, outgoing);
    else this.#answer(sent, answer, outgoing);
  }

  #answer(sent: Sent, { code, headers, body }: Answer, outgoing: ServerResponse): void {
    sent.code ??= code;
    outgoing.writeHead(code, { 'content-type': 'application/json', ...headers });
    outgoing.end(body, () => this.tap.passed?.(sent));
  }

  async #stream(sent: Sent, outgoing: ServerResponse): Promise<void> {
    const response = await this.#send(sent, {});
    sent.code = response.statusCode ?? 0;
    outgoing.writeHead(sent.code, { 'content-type': 'application/json' });
    outgoing.flushHeaders();
    outgoing.on('close', () => response.destroy());
    const lines = linesOf(response);
    for await (const line of this.tap.watch?.(sent, lines) ?? lines) {
      if (typeof line !== 'string') return breakOff(line.torn, outgoing);
      outgoing.write(`${line}\n`);
    }
    outgoing.end();
  }

  #send(sent: Sent, headers: Record<string, string>): Promise<IncomingMessage> {
    const { method, path, query, accept, body } = sent;
    const search = query.size > 0 ? `?${query}` : '';
    const { hostname, port } = this.#target;
    const all = {
      ...this.#headers,
      ...headers,
      accept,
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest({
        hostname,
        port,
        method,
        path: path + search,
        headers: all,
        agent: this.#agent,
      });
      outgoing.on('error', reject).on('response', resolve).end(body);
    });
  }
}

function kept(response: IncomingMessage): Record<string, string> {
  const after = response.headers['retry-after'];
  return after ? { 'retry-after': after } : {};
}

/** The lines of an answer, read as they are asked for: none is lost while nobody asks. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** An answer that breaks off. */
function cutShort({ code, body }: Answer, outgoing: ServerResponse): void {
  outgoing.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  breakOff(body, outgoing);
}

/** Half of a text, and then the end of the connection. */
function breakOff(text: string, outgoing: ServerResponse): void {
  outgoing.write(text.slice(0, Math.ceil(text.length / 2)), () => outgoing.destroy());
}

import type { IncomingMessage } from 'node:http';
import { ApiError, NoAnswerError, NotLeaderError, parseApiError } from './errors.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { bodyOf, type RawRequest, type Transport } from './transport.ts';

export type RequestReport = { method: string; path: string; code: number; host: string };

export type RequestOptions = {
  /** Asked in the tick that writes a mutating request; false keeps it from being sent. */
  mayWrite?: () => boolean;
  onRequest?: (report: RequestReport) => void;
  /** Every write of an object goes through it. */
  aroundWrite?: <T extends KubeObject>(ref: ObjectRef, write: () => Promise<T>) => Promise<T>;
  timeoutMs?: number;
  /** This machine's clock, in milliseconds. */
  now?: () => number;
};

/** How far this machine's clock is ahead of the server's, as its last answer told. */
type ClockError = { aheadMs: number };

const TIMEOUT_MS = 30_000;

/** Requests with what all of them share: the fence, the time limit, the report and typed errors. */
export class Requests {
  readonly options: RequestOptions;
  readonly #transport: Transport;
  readonly #clock: ClockError;

  constructor(transport: Transport, options: RequestOptions, clock: ClockError = { aheadMs: 0 }) {
    this.#transport = transport;
    this.options = options;
    this.#clock = clock;
  }

  get aheadMs(): number {
    return this.#clock.aheadMs;
  }

  /** The same connections with other options; who is told of requests goes on being told. */
  with(options: RequestOptions): Requests {
    const onRequest = (report: RequestReport) => {
      this.options.onRequest?.(report);
      options.onRequest?.(report);
    };
    return new Requests(this.#transport, { ...this.options, ...options, onRequest }, this.#clock);
  }

  close(): void {
    this.#transport.close();
  }

  /** The answer's body, within the time limit. A read whose connection breaks is begun once more, at once. */
  async text(request: Omit<RawRequest, 'signal'>, signal?: AbortSignal): Promise<string> {
    const { timeoutMs = TIMEOUT_MS } = this.options;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const either = signal ? AbortSignal.any([limit.signal, signal]) : limit.signal;
    const ask = async () => await bodyOf(await this.#send({ ...request, signal: either }, request.method));
    try {
      if (request.method !== 'GET') return await ask();
      return await ask().catch((error) => {
        if (error instanceof ApiError || either.aborted) throw error;
        return ask();
      });
    } catch (error) {
      throw typed(either.aborted ? either.reason : error, request);
    } finally {
      clearTimeout(timer);
    }
  }

  async json<T>(request: Omit<RawRequest, 'signal'>, signal?: AbortSignal): Promise<T> {
    const body = await this.text(request, signal);
    try {
      return JSON.parse(body);
    } catch (error) {
      throw typed(error, request);
    }
  }

  /** The answer as it streams in; only its head has to come within the time limit. */
  async stream(request: RawRequest, verb: string): Promise<IncomingMessage> {
    const { timeoutMs = TIMEOUT_MS } = this.options;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const signal = AbortSignal.any([request.signal, limit.signal]);
    try {
      return await this.#send({ ...request, signal }, verb);
    } catch (error) {
      throw typed(signal.aborted ? signal.reason : error, request);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(request: RawRequest, verb: string): Promise<IncomingMessage> {
    const { mayWrite, onRequest } = this.options;
    const beforeSend = () => {
      if (mayWrite && !mayWrite()) {
        throw new NotLeaderError(`${describe(request)} was not begun: this process no longer leads`);
      }
    };
    const answer = await this.#transport.send(
      request.method === 'GET' ? request : { ...request, beforeSend },
    );
    this.#compareClocks(answer.headers.date);
    const code = answer.statusCode ?? 0;
    const path = request.path.replace(/\?.*/, '');
    onRequest?.({ method: verb, path, code, host: this.#transport.host });
    if (code >= 200 && code < 300) return answer;
    throw parseApiError(code, await bodyOf(answer), describe(request), answer.headers['retry-after']);
  }

  #compareClocks(date: string | undefined): void {
    const { now = Date.now } = this.options;
    const aheadMs = now() - Date.parse(date ?? '');
    if (Number.isFinite(aheadMs)) this.#clock.aheadMs = aheadMs;
  }
}

const describe = ({ method, path }: { method: string; path: string }) =>
  `${method} ${path.replace(/\?.*/, '')}`;

function typed(error: unknown, request: { method: string; path: string }): unknown {
  if (error instanceof ApiError || error instanceof NotLeaderError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new NoAnswerError(`${describe(request)}: ${message}`, { cause: error });
}

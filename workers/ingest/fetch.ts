import { StageError } from '../lib/health.ts';

export type Body = {
  bytes: Buffer;
  /** Undefined when the whole of it came, or what cut it short. */
  cut: string | undefined;
};

const TIMEOUT_MS = 30_000;
/** 5000 users are about 6 MB. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Fetches one response of the source, called `name` in messages.
 * @throws {StageError} SourceUnavailable (no answer, or a 5xx), SourceRateLimited (429), SourceRefused (any other
 * status); with the wait that Retry-After asks for. A body that breaks off is an answer, not an error.
 */
export async function fetchBody(url: URL, name: string): Promise<Body> {
  const response = await request(url, name);
  if (response.ok) return readBody(response);
  await response.body?.cancel();
  throw statusError(response, name);
}

async function request(url: URL, name: string): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { accept: 'application/json', 'user-agent': 'userstream-ingest' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new StageError(
      'Source',
      'SourceUnavailable',
      `${name} can't be reached: ${causeOf(error)}; check spec.source.url and that pods may reach it`,
      { cause: error },
    );
  }
}

async function readBody(response: Response): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let cut: string | undefined;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_BODY_BYTES) throw new Error(`it is longer than ${MAX_BODY_BYTES} bytes`);
    }
  } catch (error) {
    cut = causeOf(error);
  }
  return { bytes: Buffer.concat(chunks), cut };
}

function statusError(response: Response, name: string): StageError {
  const { status } = response;
  const retryAfterMs = retryAfter(response.headers.get('retry-after'), Date.now());
  const said = `${name} answered ${status}${response.statusText ? ` ${response.statusText}` : ''}`;
  const error = (reason: string, next: string) =>
    new StageError('Source', reason, `${said}; ${next}`, { retryAfterMs });
  if (status === 429) {
    const wait = retryAfterMs === undefined ? '' : ` in ${Math.ceil(retryAfterMs / 1000)} s, as it says`;
    return error('SourceRateLimited', `it is asked again${wait}; lower spec.source.rateLimit if this stays`);
  }
  if (status >= 500) return error('SourceUnavailable', 'it is asked again until it recovers');
  return error('SourceRefused', 'check the path and parameters of spec.source.url');
}

/** Milliseconds that a Retry-After header (seconds or a date) asks to wait, at most an hour. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** `fetch` says "fetch failed" and hides why in the cause, which may itself hold one error an address. */
function causeOf(error: unknown): string {
  const cause = (error as Error).cause ?? error;
  const errors = cause instanceof AggregateError ? cause.errors : [cause];
  return errors.map((each) => (each instanceof Error ? each.message : String(each))).join(', ');
}

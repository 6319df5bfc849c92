/** An answer of the API server that says no. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  /** The Status' reason in CamelCase; `NotServed` where the server doesn't know the path at all. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The request was not begun: this process no longer leads. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
}

/** There was no answer, or only a part of one: whether a write was done is unknown. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

const MAX_MESSAGE = 4000;

type Status = {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
};

/** The error in an HTTP answer: a Status body, or whatever text came instead of one. */
export function parseApiError(code: number, body: string, request: string, retryAfter?: string): ApiError {
  const status = parseStatus(body);
  if (!status) {
    const reason = code === 404 ? 'NotServed' : `HTTP${code}`;
    return new ApiError(
      code,
      reason,
      `${request}: ${code} ${body.trim().slice(0, 200)}`,
      seconds(retryAfter),
    );
  }
  return statusError(status, code, request, retryAfter);
}

/** The error in a Status object, as it comes in a watch's ERROR event. */
export function statusError(status: Status, code: number, request: string, retryAfter?: string): ApiError {
  return new ApiError(
    status.code ?? code,
    status.reason || 'Unknown',
    // It may hold the whole of what is refused.
    `${request}: ${(status.message ?? 'no message').slice(0, MAX_MESSAGE)}`,
    seconds(retryAfter) ?? seconds(status.details?.retryAfterSeconds),
  );
}

function parseStatus(body: string): Status | undefined {
  try {
    const parsed: Status = JSON.parse(body);
    return parsed?.kind === 'Status' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function seconds(value: string | number | undefined): number | undefined {
  const parsed = Number(value);
  return value === undefined || value === '' || !Number.isFinite(parsed) ? undefined : parsed * 1000;
}

const hasReason = (error: unknown, reason: string) => error instanceof ApiError && error.reason === reason;

/** The object doesn't exist (its kind is served). */
export const isNotFound = (error: unknown) => hasReason(error, 'NotFound');

/** The server doesn't know this kind: its CRD isn't installed. */
export const isNotServed = (error: unknown) => hasReason(error, 'NotServed');

/** An apply meant another object of that name: the server calls its uid immutable, not a conflict. */
const isOtherUid = (error: unknown) =>
  hasReason(error, 'Invalid') && (error as ApiError).message.includes('metadata.uid: Invalid value');

/** A precondition failed, or another field manager holds a field. */
export const isConflict = (error: unknown) => hasReason(error, 'Conflict') || isOtherUid(error);

export const isAlreadyExists = (error: unknown) => hasReason(error, 'AlreadyExists');

/** The schema, CEL or validation refused the object: it won't get better by itself. */
export const isInvalid = (error: unknown) =>
  (hasReason(error, 'Invalid') && !isOtherUid(error)) ||
  hasReason(error, 'BadRequest') ||
  // An apply with a field that a built-in kind doesn't have is answered by a 500 without a reason.
  (error instanceof ApiError && error.message.includes('failed to create typed patch object'));

export const isForbidden = (error: unknown) => hasReason(error, 'Forbidden');

/** Answers that say no to the asker, to the moment or to what the request assumed, not to what it asks for. */
const NO_REFUSAL = new Set([401, 404, 408, 409, 410, 429]);

/**
 * The API server doesn't take what it is asked for, and won't by itself: schema, validation, rights, a quota or admission
 * say no. A webhook may deny with any code; without one of its own the server answers 400 and no reason.
 */
export const isRefused = (error: unknown) =>
  isInvalid(error) ||
  (error instanceof ApiError &&
    error.code >= 400 &&
    error.code < 500 &&
    !NO_REFUSAL.has(error.code) &&
    !isOtherUid(error));

/** The resource version asked for is too old: list again. */
export const isGone = (error: unknown) => error instanceof ApiError && error.code === 410;

export const isTooManyRequests = (error: unknown) => error instanceof ApiError && error.code === 429;

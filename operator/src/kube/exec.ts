import type { ClientRequest } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec as ExecConnection, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { ApiError, NoAnswerError, NotLeaderError } from './errors.ts';
import { onceConnected } from './transport.ts';

/** A container of a pod. */
export type ExecTarget = { namespace: string; pod: string; container: string };

/** What became of a command: its exit code and what it wrote. */
export type ExecResult = { code: number; stdout: string; stderr: string };

/**
 * Runs a command in a container and waits for its end.
 * @throws {ApiError} where the API server refuses or the command can't be begun
 * @throws {NoAnswerError} where it didn't end in time or the connection broke: it may still run
 */
export type Exec = (target: ExecTarget, command: string[]) => Promise<ExecResult>;

type Options = {
  /** Asked in the tick that writes the request; false keeps it from being sent. */
  mayWrite?: () => boolean;
  timeoutMs?: number;
};

const TIMEOUT_MS = 30_000;

const REFUSALS: Record<string, string> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound' };

/** Runs commands through the API server's pods/exec, so that no pod needs a port or a sidecar for it. */
export function createExec(config: KubeConfig, { mayWrite, timeoutMs = TIMEOUT_MS }: Options = {}): Exec {
  const connection = new ExecConnection(withSocketOptions(config, timeoutMs, mayWrite));
  return async (target, command) => {
    const what = `exec in ${target.namespace}/${target.pod}: ${command.join(' ')}`;
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const output = Promise.all([text(stdout), text(stderr)]);
    const status = await ended(connection, target, command, { stdout, stderr, what, timeoutMs });
    const [out, err] = await output;
    return { code: exitCode(status, what), stdout: out, stderr: err };
  };
}

/** The configuration, whose options the library hands on to its WebSocket: without a limit that waits for ever. */
function withSocketOptions(config: KubeConfig, handshakeTimeout: number, mayWrite = () => true): KubeConfig {
  const finishRequest = (request: ClientRequest) =>
    onceConnected(request, () => {
      if (mayWrite()) request.end();
      else request.destroy(new NotLeaderError('this process no longer leads'));
    });
  const extended: KubeConfig = Object.create(config);
  extended.applyToHTTPSOptions = async (options) => {
    await config.applyToHTTPSOptions(options);
    Object.assign(options, { handshakeTimeout, finishRequest });
  };
  return extended;
}

/** What is used of a WebSocket. */
type Socket = { addEventListener(type: 'close', listener: () => void): void; terminate(): void };

type Call = { stdout: PassThrough; stderr: PassThrough; what: string; timeoutMs: number };

/** Resolves with the status that ends the command. */
function ended(
  connection: ExecConnection,
  { namespace, pod, container }: ExecTarget,
  command: string[],
  { stdout, stderr, what, timeoutMs }: Call,
): Promise<V1Status> {
  return new Promise((resolve, reject) => {
    const socket: Promise<Socket> = connection.exec(
      namespace,
      pod,
      container,
      command,
      stdout,
      stderr,
      null,
      false,
      resolve,
    );
    const timer = setTimeout(() => {
      reject(new NoAnswerError(`${what}: it didn't end within ${timeoutMs} ms`));
      void socket.then((open) => open.terminate()).catch(() => {});
    }, timeoutMs);
    const failed = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    // The socket closes after the status, too: the promise is settled then.
    const broken = () => failed(new NoAnswerError(`${what}: the connection broke before it ended`));
    socket.then(
      (open) => open.addEventListener('close', broken),
      (refused: Error & { error?: Error }) => failed(refusal(refused.error ?? refused, what)),
    );
  });
}

/** The error of a connection that didn't come about; only the HTTP status is told. */
function refusal(error: Error, what: string): Error {
  const { message } = error;
  if (error instanceof NotLeaderError) return new NotLeaderError(`${what}: ${message}`);
  const code = /Unexpected server response: (\d+)/.exec(message)?.[1];
  if (!code) return new NoAnswerError(`${what}: ${message}`);
  return new ApiError(
    Number(code),
    REFUSALS[code] ?? `HTTP${code}`,
    `${what}: the API server answers ${code}`,
  );
}

/** @throws {ApiError} where the status is not that of a command that ran. */
function exitCode({ status, reason, message, details }: V1Status, what: string): number {
  if (status === 'Success') return 0;
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (code === undefined) throw new ApiError(500, reason ?? 'ExecFailed', `${what}: ${message}`);
  return Number(code);
}

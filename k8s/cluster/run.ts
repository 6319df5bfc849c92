import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export type RunOptions = {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  input?: string;
  /** A file that takes everything the command prints, for commands that print a lot. */
  log?: string;
  onLine?: (line: string) => void;
  signal?: AbortSignal;
};

/** A command that could not be run or did not exit with 0. The message ends with the last lines it printed. */
export class CommandError extends Error {
  readonly exitCode: number | null;
  constructor(command: string, args: string[], exitCode: number | null, output: string) {
    const tail = output.trim().split('\n').slice(-15).join('\n');
    super(`${[command, ...args].join(' ').slice(0, 300)} ended with ${exitCode ?? 'a signal'}:\n${tail}`);
    this.exitCode = exitCode;
  }
}

/** Runs a command and answers what it printed on stdout. Throws a CommandError when it fails. */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, { env: options.env, cwd: options.cwd, signal: options.signal });
  const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: 'a' });
  let stdout = '';
  let both = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    both = keepTail(both + text);
    log?.write(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    both = keepTail(both + text);
    log?.write(text);
  });
  if (options.onLine) for (const stream of [child.stdout, child.stderr]) eachLine(stream, options.onLine);
  child.on('error', (error) => reject(new CommandError(command, args, null, error.message)));
  child.on('close', (code) => {
    log?.end();
    if (code === 0) resolve(stdout);
    else reject(new CommandError(command, args, code, both));
  });
  child.stdin.on('error', () => {}); // a command that ends before it has read its input says why in its output
  child.stdin.end(options.input ?? '');
  return promise;
}

/** Runs a command on the caller's terminal and answers its exit code. */
export function runInteractive(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(command, args, { env, stdio: 'inherit' });
  const ignore = () => {}; // Ctrl-C reaches the child by itself: wait for its end
  process.on('SIGINT', ignore);
  child.on('error', reject);
  child.on('exit', (code) => {
    process.off('SIGINT', ignore);
    resolve(code ?? 1);
  });
  return promise;
}

/** Answers whether a command exits with 0; a command that isn't there doesn't. */
export async function succeeds(command: string, args: string[], options: RunOptions = {}): Promise<boolean> {
  return run(command, args, options).then(
    () => true,
    () => false,
  );
}

const keepTail = (text: string) => (text.length > 20_000 ? text.slice(-10_000) : text);

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}

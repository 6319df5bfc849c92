import { z } from 'zod';
import { StageError } from '../lib/health.ts';
import { type Column, type Row, sparkText } from './row.ts';

/** Names of columns become part of statements. */
const columns = z.array(z.tuple([z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()]));
const head = z.object({ view: columns, columns });
const line = z.union([
  z.tuple([z.string()]).rest(z.string().nullable()),
  z.object({ id: z.string(), fault: z.string() }),
]);
const status = z.object({ figures: z.object({ readToEndAgoMs: z.number().optional() }).optional() });
const fault = z.object({ reason: z.string(), message: z.string() });

const TIMEOUT_MS = 60_000;

/** Bytes of the users that it takes at a time, and so of one (workers/spark/server.py). */
export const LONGEST_BODY = 32 * 1024 * 1024;

/** What the SQL reads of a user, with Spark's types, and what it makes of it, with Cassandra's. */
export type Shape = { view: Column[]; columns: Column[] };

/** What the SQL makes of some users: the rows that it keeps, and those on which it throws an error. */
export type Projection = Shape & { rows: Row[] };

type Answer = { code: number; text: string };

/** Spark's driver, which knows the SQL and how far the stream has come. */
export class SparkDriver {
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Has the pipeline's SQL applied to users that are given as JSON objects, a line each. */
  async project(lines: readonly string[]): Promise<Projection> {
    const answer = await this.#ask('/project', lines.join('\n'));
    if (answer.code !== 200) throw refusal('/project', answer);
    const [first = '{}', ...rows] = answer.text.split('\n');
    const { view, columns } = head.parse(JSON.parse(first));
    return { view, columns, rows: rows.map((text) => rowOf(columns, text)) };
  }

  /**
   * How long ago, in milliseconds, Spark looked at the topic's end and had then written all before; undefined where it
   * hasn't, or isn't ready.
   */
  async readToEndAgoMs(): Promise<number | undefined> {
    const answer = await this.#ask('/readyz');
    if (answer.code !== 200 && answer.code !== 503) throw refusal('/readyz', answer);
    return status.parse(JSON.parse(answer.text)).figures?.readToEndAgoMs;
  }

  async #ask(path: string, body?: string): Promise<Answer> {
    try {
      const response = await fetch(`${this.#url}${path}`, {
        ...(body === undefined ? {} : { method: 'POST', body }),
        redirect: 'error',
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return { code: response.status, text: await response.text() };
    } catch (error) {
      this.#signal.throwIfAborted();
      throw unreachable(this.#url, error as Error);
    }
  }
}

function rowOf(columns: Column[], text: string): Row {
  const parsed = line.parse(JSON.parse(text));
  if (!Array.isArray(parsed)) return { id: parsed.id, values: [], fault: 'failing' };
  const [id, ...values] = parsed;
  return { id, values: columns.map(([, type], index) => sparkText(type, values[index] ?? null)) };
}

/** The driver's own reason, as far as it gives one. */
function refusal(path: string, { code, text }: Answer): StageError {
  const told = fault.safeParse(parsed(text)).data;
  const message = told?.message || `it answered ${code} to ${path}`;
  return new StageError('Spark', told?.reason ?? 'SparkError', `Spark's driver: ${message}`);
}

function unreachable(url: string, error: Error): StageError {
  const cause = error.cause instanceof Error ? error.cause.message : error.message;
  const message = `Spark's driver at ${url}: ${cause}; check that its pod runs`;
  return new StageError('Spark', 'SparkUnreachable', message, { cause: error });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

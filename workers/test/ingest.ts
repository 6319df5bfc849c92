import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { after, afterEach, before, beforeEach } from 'node:test';
import pg from 'pg';
import type { Sections } from '../lib/config.ts';
import { type HttpServer, listen } from '../lib/http.ts';
import { postgresClient } from '../lib/postgres.ts';
import { apiUser, toUser } from '../lib/user.ts';
import { provisionPostgres } from '../provision/postgres.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { startWorker, type WorkerOptions, type WorkerProcess } from './process.ts';
import { until } from './wait.ts';

export type Reply = { status?: number; headers?: Record<string, string>; body: string; cut?: boolean };
/** What a bad source answers to its request number `count` (from 1). */
export type Handler = (url: URL, count: number) => Reply;
export type Readiness = { ready: boolean; stage: string; reason: string; message: string; figures?: object };

type SourceSection = Partial<Sections['source']>;

/** One Postgres for a suite of tests of ingest, emptied before each; what a test started ends with it. */
export class IngestBench {
  postgres!: TestPostgres;
  pool!: pg.Pool;
  readonly #running: { end(): Promise<unknown> }[] = [];

  /** Registers the suite's hooks: call it within `describe`. */
  static hook(): IngestBench {
    const bench = new IngestBench();
    before(() => bench.#begin());
    beforeEach(() => bench.#empty());
    afterEach(async () => {
      for (const running of bench.#running.splice(0)) await running.end();
    });
    after(async () => {
      await bench.pool.end();
      await bench.postgres.stop();
    });
    return bench;
  }

  async #begin() {
    this.postgres = await startPostgres();
    const { section, credentials } = this.postgres;
    await provisionPostgres(section, { credentials, ca: undefined });
    this.pool = new pg.Pool(postgresClient(section, credentials));
    // A pool says it has ended before its connections have; and a test may halt the server.
    this.pool.on('error', () => {});
  }

  async #empty() {
    const tables = ['users', 'rejected_users', 'ingest_state', 'ingest_claims', 'ingest_spent'];
    for (const table of tables) await this.pool.query(`DELETE FROM ${table}`);
  }

  /** How ingest is run against the source at `url`: as fast as it gets unless `source` says otherwise. */
  options(url: string, source: SourceSection = {}): WorkerOptions & { config: object } {
    const { section, credentials } = this.postgres;
    const defaults = { batchSize: 100, intervalMs: 1, seed: '', nationalities: [] };
    const rateLimit = { users: 1_000_000_000, perMs: 1000 };
    return {
      env: { POSTGRES_USERNAME: credentials.username, POSTGRES_PASSWORD: credentials.password },
      config: {
        pipeline: { namespace: 'test', name: 'users' },
        source: { url, ...defaults, rateLimit, ...source },
        postgres: section,
      },
    };
  }

  /** One replica, known by `host`; `port` is Postgres's, or a proxy's before it. */
  async startIngest(
    url: string,
    source: SourceSection = {},
    host = 'ingest-0',
    port = this.postgres.section.port,
  ): Promise<WorkerProcess> {
    const { env, config } = this.options(url, source);
    const postgres = { ...this.postgres.section, port };
    const options = { config: { ...config, postgres }, env: { ...env, HOSTNAME: host } };
    return this.#endLater(await startWorker('ingest', options));
  }

  /** The real source, in a process of its own. */
  async startSource(env: Record<string, string>): Promise<{ url: string; port: number }> {
    const unlimited = { SOURCE_PORT: '0', SOURCE_RATE_USERS: '1000000000' };
    const { port } = this.#endLater(await startWorker('source', { env: { ...unlimited, ...env } }));
    return { url: `http://127.0.0.1:${port}/api/1.4/`, port };
  }

  /** An HTTP server that answers as `handler` says; `requests` lists what it was asked. */
  async startBadSource(handler: Handler, port = 0) {
    const requests: { url: URL; at: number }[] = [];
    const server: HttpServer = await listen(answering(handler, requests), port);
    this.#running.push({ end: server.close });
    return { url: `http://127.0.0.1:${server.port}/api/?key=SECRET`, requests };
  }

  async count(table: string): Promise<number> {
    return Number((await this.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);
  }

  /** The first page that is not stored yet. */
  async nextPage(): Promise<string | undefined> {
    const claimed = '(SELECT min(page) FROM ingest_claims)';
    const { rows } = await this.pool.query(`SELECT least(next_page, ${claimed}) AS page FROM ingest_state`);
    return rows[0]?.page;
  }

  hasUsers(wanted: number): Promise<boolean> {
    return until(`${wanted} users`, async () => (await this.count('users')) >= wanted);
  }

  /** Compares every field of every user with what the source at `port` says it served; answers how many there are. */
  async assertSameAsServed(port: number): Promise<number> {
    const lines = (await (await fetch(`http://127.0.0.1:${port}/served`)).text()).split('\n').filter(Boolean);
    const served = lines.map((line) => toUser(apiUser.parse(JSON.parse(line))));
    const { rows } = await this.pool.query('SELECT * FROM users ORDER BY id');
    const iso = ({ dob, registered_date }: { dob: Date; registered_date: Date }) => ({
      dob: dob.toISOString(),
      registered_date: registered_date.toISOString(),
    });
    const stored = rows.map((row) => ({ ...row, ...iso(row) }));
    served.sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(stored, served);
    return served.length;
  }

  #endLater(worker: WorkerProcess): WorkerProcess {
    this.#running.push({ end: () => worker.end('SIGKILL') });
    return worker;
  }
}

export async function readiness({ port }: WorkerProcess): Promise<Readiness> {
  return (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()) as Readiness;
}

/** Waits until the worker gives `reason`, with a message that fits. */
export function reports(worker: WorkerProcess, reason: string, message = /^/): Promise<Readiness> {
  return until(`${reason} ${message.source} to be reported`, async () => {
    const status = await readiness(worker);
    return status.reason === reason && message.test(status.message) ? status : undefined;
  });
}

function answering(handler: Handler, requests: { url: URL; at: number }[]): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://source');
    requests.push({ url, at: Date.now() });
    const { status = 200, headers = {}, body, cut } = handler(url, requests.length);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) + (cut ? 1 : 0) });
    if (cut) response.write(body, () => response.destroy());
    else response.end(body);
  };
}

import { Counter, Histogram, type Registry } from 'prom-client';
import type { Figures } from '../lib/health.ts';

const RATE_SPAN_MS = 60_000;

/** What `ingest` counts, for Prometheus and for its own readiness figures. */
export class IngestMetrics {
  readonly #users: Counter;
  readonly #rejected: Counter;
  readonly #requests: Counter<'outcome'>;
  readonly #duration: Histogram;
  readonly #now: () => number;
  readonly #started: number;
  #recent: { at: number; users: number }[] = [];
  #total = 0;

  constructor(registry: Registry, now: () => number) {
    const registers = [registry];
    this.#now = now;
    this.#started = now();
    this.#users = new Counter({
      name: 'userstream_ingest_users_total',
      help: 'Users accepted and written to Postgres',
      registers,
    });
    this.#rejected = new Counter({
      name: 'userstream_ingest_rejected_total',
      help: 'Users that failed validation and were kept in rejected_users',
      registers,
    });
    this.#requests = new Counter({
      name: 'userstream_ingest_requests_total',
      help: 'Requests to the source, by outcome',
      labelNames: ['outcome'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'userstream_ingest_request_duration_seconds',
      help: 'Time from a request to the source until its answer was there or failed',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
  }

  request(outcome: string, durationMs: number): void {
    this.#requests.inc({ outcome });
    this.#duration.observe(durationMs / 1000);
  }

  stored(users: number, rejected: number): void {
    this.#users.inc(users);
    this.#rejected.inc(rejected);
    this.#total += users;
    this.#recent.push({ at: this.#now(), users });
  }

  /** Users since the start, and users a second over the last minute. */
  figures(): Figures {
    const now = this.#now();
    this.#recent = this.#recent.filter(({ at }) => at > now - RATE_SPAN_MS);
    const users = this.#recent.reduce((sum, batch) => sum + batch.users, 0);
    const seconds = Math.max(1000, Math.min(RATE_SPAN_MS, now - this.#started)) / 1000;
    return { users: this.#total, usersPerSecond: Math.round((users / seconds) * 10) / 10 };
  }
}

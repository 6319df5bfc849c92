import type { Sections } from '../lib/config.ts';
import { type Health, StageError } from '../lib/health.ts';
import type { Logger } from '../lib/logging.ts';
import { postgresError } from '../lib/postgres.ts';
import { sleep, untilDone } from '../lib/retry.ts';
import { Window } from '../lib/window.ts';
import { fetchBody } from './fetch.ts';
import type { IngestMetrics } from './metrics.ts';
import { type Page, parsePage } from './page.ts';
import { requestUrl, sequenceName, sourceName } from './request.ts';
import type { Batch, Store } from './store.ts';

export type IngestContext = {
  source: Sections['source'];
  postgres: Sections['postgres'];
  store: Store;
  health: Health;
  log: Logger;
  metrics: IngestMetrics;
  signal: AbortSignal;
  now: () => number;
};

/**
 * Carries users from the source to Postgres, batch after batch, until the signal aborts; the batch in hand is finished.
 * With a seed it takes the pages of one sequence, each once; without, random batches.
 * @throws the signal's AbortError.
 */
export async function ingest(context: IngestContext): Promise<never> {
  const { source, signal, now } = context;
  const round = new Round(context);
  for (;;) {
    const started = now();
    await untilDone(() => round.run(), context);
    await sleep(Math.max(0, started + source.intervalMs - now()), signal);
  }
}

class Round {
  readonly #context: IngestContext;
  readonly #name: string;
  readonly #sequence: string;
  readonly #budget: Window;
  /** The page to go on with, as far as this process knows; Postgres has the last word. */
  #page: number | undefined;
  /** What was fetched and isn't stored yet: a random batch can't be had again, a page needn't be. */
  #inHand: { number: number | undefined; page: Page } | undefined;

  constructor(context: IngestContext) {
    this.#context = context;
    this.#name = sourceName(context.source);
    this.#sequence = sequenceName(context.source);
    this.#budget = new Window(context.source.rateLimit);
  }

  /** Fetches and stores one batch. @throws {StageError} when it has to be tried again. */
  async run(): Promise<void> {
    const { source, health, metrics } = this.#context;
    const number = source.seed === '' ? undefined : await this.#nextPage();
    if (!this.#inHand || this.#inHand.number !== number) {
      this.#inHand = { number, page: await this.#fetch(number) };
    }
    const { page } = this.#inHand;
    await (number === undefined ? this.#storeRandom(page) : this.#storePage(page, number));
    this.#inHand = undefined;
    if (page.fault !== undefined) throw this.#incomplete(page.fault);
    health.ready(metrics.figures());
  }

  async #nextPage(): Promise<number> {
    this.#page ??= await this.#inPostgres(this.#context.store.nextPage(this.#sequence));
    return this.#page;
  }

  async #fetch(number: number | undefined): Promise<Page> {
    const { source, metrics, now } = this.#context;
    await this.#waitForBudget();
    const started = now();
    let outcome = 'Ok';
    try {
      const page = parsePage(await fetchBody(requestUrl(source, number), this.#name), this.#name);
      if (page.fault !== undefined) outcome = 'SourceInvalidResponse';
      return page;
    } catch (error) {
      outcome = error instanceof StageError ? error.reason : 'UnexpectedError';
      throw error;
    } finally {
      // Counted from the answer on: the source counted it before that.
      this.#budget.spend(source.batchSize, now());
      metrics.request(outcome, now() - started);
    }
  }

  async #waitForBudget(): Promise<void> {
    const { source, log, signal, now } = this.#context;
    const waitMs = this.#budget.waitMs(source.batchSize, now());
    if (waitMs === 0) return;
    log.info({ waitMs }, 'the rate limit is used up for now');
    await sleep(waitMs, signal);
  }

  /** A random batch never comes again: what broke off in it is kept among the rejected. */
  async #storeRandom(page: Page): Promise<void> {
    await this.#inPostgres(this.#context.store.write(this.#batch(page)));
    this.#stored(page.users.length, page.rejected.length);
  }

  /**
   * A page that broke off is asked for again: its good users are written at once (another time changes nothing), but it
   * isn't counted, and its bad users are rejected when it is complete. An empty page is the sequence's end for now.
   */
  async #storePage(page: Page, number: number): Promise<void> {
    const { store, log } = this.#context;
    const batch = this.#batch(page);
    if (page.fault !== undefined) {
      await this.#inPostgres(store.write({ ...batch, rejected: [] }));
      return this.#stored(page.users.length, 0);
    }
    // The API answers page 1 when asked for a page past its last.
    const isOther = page.number !== undefined && page.number !== number;
    if (isOther || page.users.length + page.rejected.length === 0) {
      return log.debug({ page: number }, 'the sequence has ended for now');
    }
    const claim = { sequence: this.#sequence, page: number };
    const isOurs = await this.#inPostgres(store.writeClaimed(batch, claim));
    this.#page = isOurs ? number + 1 : undefined;
    if (isOurs) this.#stored(page.users.length, page.rejected.length);
  }

  #batch({ users, rejected }: Page): Batch {
    return { users, rejected, source: this.#name };
  }

  #stored(users: number, rejected: number) {
    const { metrics, log } = this.#context;
    metrics.stored(users, rejected);
    log[rejected > 0 ? 'warn' : 'debug']({ users, rejected }, 'batch stored');
  }

  #incomplete(fault: string): StageError {
    const next = 'the good users in it are stored, and the rest is asked for again';
    const message = `the response of ${this.#name} ${fault}; ${next}`;
    return new StageError('Source', 'SourceInvalidResponse', message);
  }

  async #inPostgres<T>(query: Promise<T>): Promise<T> {
    try {
      return await query;
    } catch (error) {
      // After an error it isn't known whether the page was stored.
      this.#page = undefined;
      throw postgresError(this.#context.postgres, error);
    }
  }
}

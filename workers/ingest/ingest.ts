import type { Field } from '../lib/columns.ts';
import type { Sections } from '../lib/config.ts';
import { type Health, StageError } from '../lib/health.ts';
import type { Logger } from '../lib/logging.ts';
import { postgresError } from '../lib/postgres.ts';
import { sleep, untilDone } from '../lib/retry.ts';
import type { Budget, Reservation } from './budget.ts';
import type { Claim, Claims } from './claims.ts';
import { fetchBody } from './fetch.ts';
import type { IngestMetrics } from './metrics.ts';
import { type Page, parsePage } from './page.ts';
import type { Purge } from './purge.ts';
import { requestUrl, sourceName } from './request.ts';
import type { Batch, Store } from './store.ts';

export type IngestContext = {
  source: Sections['source'];
  fields: readonly Field[];
  postgres: Sections['postgres'];
  budget: Budget;
  claims: Claims;
  store: Store;
  purge: Purge;
  health: Health;
  log: Logger;
  metrics: IngestMetrics;
  signal: AbortSignal;
  /** Milliseconds of a clock that is never set. */
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

/** What was fetched and isn't stored yet; a random batch has no claim. `tried`: it may have been stored all the same. */
type Fetched = { claim: Claim | undefined; page: Page; tried: boolean };

class Round {
  readonly #context: IngestContext;
  readonly #name: string;
  /** Kept while Postgres is away: a random batch can't be had again. */
  #inHand: Fetched | undefined;

  constructor(context: IngestContext) {
    this.#context = context;
    this.#name = sourceName(context.source);
  }

  /** Fetches and stores one batch. @throws {StageError} when it has to be tried again. */
  async run(): Promise<void> {
    const { health, metrics } = this.#context;
    await this.#purge();
    this.#inHand ??= await this.#take();
    const { claim, page, tried } = this.#inHand;
    this.#inHand.tried = true;
    await (claim ? this.#storePage(page, claim) : this.#storeRandom(page, tried));
    this.#inHand = undefined;
    if (page.fault !== undefined) throw this.#incomplete(page.fault);
    health.ready(metrics.figures());
  }

  /** Users go on all the same; what should be gone by now is looked for again an hour later. */
  async #purge(): Promise<void> {
    const { purge, log } = this.#context;
    const count = await purge.run().catch((err) => log.warn({ err }, 'old rejected users were not deleted'));
    if (count) log.info({ count }, 'rejected users deleted: their time was over');
  }

  /** Waits for the budget before it claims a page: what is claimed is fetched at once. */
  async #take(): Promise<Fetched> {
    const { source, budget, claims } = this.#context;
    const reservation = await this.#reserve();
    try {
      const claim = source.seed === '' ? undefined : await this.#inPostgres(claims.take());
      return { claim, page: await this.#fetch(claim?.page), tried: false };
    } catch (error) {
      const retryAfterMs = error instanceof StageError ? error.retryAfterMs : undefined;
      if (retryAfterMs !== undefined) await this.#inPostgres(budget.exhaust(retryAfterMs));
      throw error;
    } finally {
      await this.#settle(reservation);
    }
  }

  async #reserve(): Promise<Reservation> {
    const { source, budget, log, signal } = this.#context;
    for (;;) {
      const answer = await this.#inPostgres(budget.reserve(source.batchSize));
      if ('at' in answer) return answer;
      log.info(answer, 'the rate limit is used up for now');
      await sleep(answer.waitMs, signal);
    }
  }

  /** A batch in hand is worth more than its booking, which only stays reserved for longer without this. */
  async #settle(reservation: Reservation): Promise<void> {
    const { budget, log } = this.#context;
    await budget.settle(reservation).catch((err) => log.warn({ err }, 'the budget could not be settled'));
  }

  async #fetch(number: number | undefined): Promise<Page> {
    const { source, fields, metrics, now } = this.#context;
    const started = now();
    let outcome = 'Ok';
    try {
      const body = await fetchBody(requestUrl(source, number), this.#name);
      const page = parsePage(body, this.#name, fields);
      if (page.fault !== undefined) outcome = 'SourceInvalidResponse';
      return page;
    } catch (error) {
      outcome = error instanceof StageError ? error.reason : 'UnexpectedError';
      throw error;
    } finally {
      metrics.request(outcome, now() - started);
    }
  }

  /** A random batch never comes again: what broke off in it is kept among the rejected. */
  async #storeRandom(page: Page, tried: boolean): Promise<void> {
    const { store } = this.#context;
    const batch = this.#batch(page);
    await this.#inPostgres(tried ? store.writeAgain(batch) : store.write(batch));
    this.#stored(page.users.length, page.rejected.length);
  }

  /**
   * A page that broke off is asked for again: its good users are written at once (another time changes nothing), but it
   * isn't counted, and its bad users are rejected when it is complete. An empty page is the sequence's end for now.
   */
  async #storePage(page: Page, claim: Claim): Promise<void> {
    const { store, claims, log } = this.#context;
    const batch = this.#batch(page);
    if (page.fault !== undefined) {
      await this.#inPostgres(store.write({ ...batch, rejected: [] }));
      return this.#stored(page.users.length, 0);
    }
    // The API answers page 1 when asked for a page past its last.
    const isOther = page.number !== undefined && page.number !== claim.page;
    if (isOther || page.users.length + page.rejected.length === 0) {
      log.debug({ page: claim.page }, 'the sequence has ended for now');
      return this.#inPostgres(claims.release(claim));
    }
    const isOurs = await this.#inPostgres(store.writeClaimed(batch, claim));
    if (isOurs) return this.#stored(page.users.length, page.rejected.length);
    log.warn({ page: claim.page }, 'the claim had expired: another replica stores this page');
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
      throw postgresError(this.#context.postgres, error);
    }
  }
}

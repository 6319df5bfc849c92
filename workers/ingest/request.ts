import { createHash } from 'node:crypto';
import type { Sections } from '../lib/config.ts';

type Source = Sections['source'];

/**
 * The URL to ask for a batch: the user's own, with his own parameters, and ours beside them. `page` counts from 1 in the
 * sequence of the seed; undefined asks for a random batch.
 */
export function requestUrl(source: Source, page: number | undefined): URL {
  const url = new URL(source.url);
  url.searchParams.set('results', String(source.batchSize));
  if (source.nationalities.length > 0) url.searchParams.set('nat', source.nationalities.join(','));
  if (page !== undefined) {
    url.searchParams.set('seed', source.seed);
    url.searchParams.set('page', String(page));
  }
  return url;
}

/**
 * The name under which a sequence's next page is kept: the same for all that asks for the same users. The URL goes in
 * as a hash, since its parameters may hold an API key.
 */
export function sequenceName(source: Source): string {
  const url = requestUrl(source, 1);
  url.searchParams.sort();
  const hash = createHash('sha256').update(url.href).digest('hex').slice(0, 16);
  return `seed=${source.seed} results=${source.batchSize} ${hash}`;
}

/** How a source is called in logs, messages and tables: without the parameters, which may hold an API key. */
export function sourceName(source: Source): string {
  const { origin, pathname } = new URL(source.url);
  return origin + pathname;
}

/** What the source's budget is kept under: an API counts by the caller's address, whatever he asks it for. */
export function budgetName(source: Source): string {
  return new URL(source.url).host;
}

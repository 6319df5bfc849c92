/** A page that is longer than this is too long. */
export const PAGE_BYTES = 4 * 1024 * 1024;

/** How many rows to begin with, as long as nobody knows how large they are. */
export const FIRST_SIZE = 32;

/** How many rows to ask for after a page of `size` rows and `bytes`: up to twice as many, `most` at most. */
export function nextSize(size: number, bytes: number, most: number): number {
  const fitting = Math.floor(size * Math.min(2, PAGE_BYTES / Math.max(1, bytes)));
  return Math.min(most, Math.max(1, fitting));
}

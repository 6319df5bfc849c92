/** The times of a list-watch. */
export type Timings = {
  /** The server ends a watch after this; half as much again at random, so that watches don't end together. */
  watchSeconds: number;
  /** Silence (not even a bookmark, which come every minute) after which the connection counts as dead. */
  silenceMs: number;
  /** The whole list is read anew this often, whatever the watch said. */
  relistMs: number;
  /** A kind that isn't served, where that is no error, is looked for this often. */
  absentMs: number;
  firstRetryMs: number;
  maxRetryMs: number;
};

export const TIMINGS: Timings = {
  watchSeconds: 300,
  silenceMs: 150_000,
  relistMs: 1_800_000,
  absentMs: 60_000,
  firstRetryMs: 500,
  maxRetryMs: 30_000,
};

/** A position in Postgres's write-ahead log. */
export type Lsn = bigint;

/** The highest epoch that leaves the version positive in 64 bits. */
const MAX_EPOCH = 0x7fff;
/** LSNs above this would run into the epoch: 256 TiB of WAL. */
const LSN_LIMIT = 1n << 48n;
export const MAX_VERSION = (BigInt(MAX_EPOCH) << 48n) | (LSN_LIMIT - 1n);

/** Reads `16/B374D848`. */
export function parseLsn(text: string): Lsn {
  const [high, low] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}

/**
 * The version of a change: its position in the WAL, below the epoch that counts re-snapshots.
 * @throws {RangeError} when epoch or LSN are past what the version can hold.
 */
export function versionOf(epoch: number, lsn: Lsn): bigint {
  if (epoch < 0 || epoch > MAX_EPOCH) throw new RangeError(`epoch ${epoch} is not in 0..${MAX_EPOCH}`);
  if (lsn >= LSN_LIMIT) throw new RangeError(`LSN ${formatLsn(lsn)} is past 256 TiB: start a new epoch`);
  return (BigInt(epoch) << 48n) | lsn;
}

/** The part of a version below its epoch. */
export function lsnOf(version: bigint): Lsn {
  return version & (LSN_LIMIT - 1n);
}

export function epochOf(version: bigint): number {
  return Number(version >> 48n);
}

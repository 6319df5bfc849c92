import { StageError } from '../lib/health.ts';
import type { KafkaRecord } from '../lib/kafka.ts';
import { epochOf, type Lsn, lsnOf, versionOf } from './lsn.ts';

/**
 * The newest record of the topic. Its version is the same whenever it comes; its position, as positionOf says, may be told
 * another time or not.
 */
export type Newest = { key: string; version: bigint; position: bigint };

/** The header of a record that was committed behind what was published before it, though it was written earlier: as a version, where its commit stands. */
export const COMMITTED_UNDER = 'committed-under';

/** Where a record stands in the order in which the slot hands out what was committed, as the text of a version. */
export function positionOf(headers: Readonly<Record<string, string>>): string | undefined {
  return headers[COMMITTED_UNDER] ?? headers['version'];
}

/**
 * Watches whether the server's WAL is the one that was published from. A server that was set back, with its slot, hands
 * out other changes under the same positions: what the topic holds beyond the slot's position must come again, or it did
 * not happen here.
 */
export class History {
  readonly #newest: Newest;
  readonly #end: Lsn;
  readonly #onConfirmed: () => void;
  #awaits = true;

  /**
   * @param end where the WAL ended when the session began
   * @param onConfirmed called once, when the newest record has come again
   */
  constructor(newest: Newest, end: Lsn, onConfirmed: () => void) {
    this.#newest = newest;
    this.#end = end;
    this.#onConfirmed = onConfirmed;
  }

  see({ key, headers }: Pick<KafkaRecord, 'key' | 'headers'>): void {
    if (!this.#awaits || key !== this.#newest.key || headers['version'] !== String(this.#newest.version))
      return;
    this.#awaits = false;
    this.#onConfirmed();
  }

  /**
   * Takes in that all that was committed before `lsn` has been seen.
   * @throws {StageError} HistoryChanged when the newest record was not among it.
   */
  pass(lsn: Lsn): void {
    if (this.#awaits && lsn >= this.#end) throw historyChanged();
  }
}

/**
 * Whether the newest record tells of changes that the slot has still to hand out, by its position.
 * @throws {StageError} HistoryChanged where this server can't have made it: it lies behind the end of the WAL, or in an
 * epoch that the database doesn't know; HistoryUnknown where the topic has none, and so nothing to tell it by.
 */
export function isAhead(newest: bigint | undefined, epoch: number, confirmed: Lsn, end: Lsn): boolean {
  if (newest === undefined) throw historyUnknown();
  if (epochOf(newest) > epoch) throw historyChanged();
  if (newest <= versionOf(epoch, confirmed)) return false;
  if (lsnOf(newest) > end) throw historyChanged();
  return true;
}

const [HISTORY_CHANGED, HISTORY_UNKNOWN] = ['HistoryChanged', 'HistoryUnknown'];

/** Whether what the slot hands out isn't, or may not be, what follows on the topic: a new epoch has to begin. */
export function isHistoryLost(error: unknown): boolean {
  return error instanceof StageError && [HISTORY_CHANGED, HISTORY_UNKNOWN].includes(error.reason);
}

function historyChanged(): StageError {
  return new StageError(
    'Postgres',
    HISTORY_CHANGED,
    'the topic holds changes that the server has no record of: it was set back, or restored with its slot; all users are sent again under a new epoch',
  );
}

function historyUnknown(): StageError {
  return new StageError(
    'Postgres',
    HISTORY_UNKNOWN,
    'the server was started anew, and the topic has no record left that would tell whether it was set back; all users are sent again under a new epoch',
  );
}

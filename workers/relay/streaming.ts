import { StageError } from '../lib/health.ts';
import type { KafkaRecord } from '../lib/kafka.ts';
import { postgresClient, postgresError } from '../lib/postgres.ts';
import { History, isAhead, isHistoryLost } from './history.ts';
import { formatLsn, type Lsn } from './lsn.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';
import { Reader } from './reader.ts';
import { TableAltered } from './schema.ts';
import type { Session } from './session.ts';
import { epochOver, markServerKnown, readWal, riskOf } from './slot.ts';
import { openStream, type WalOptions, type WalStream } from './stream.ts';
import { Tenure } from './tenure.ts';

/** How often the server hears from us, well within its timeout also while the stream is held back. */
const BEAT_MS = 1000;
const FIGURES_MS = 3000;

/**
 * Reads the slot's WAL and publishes it until the signal aborts; then publishes what it has read and acknowledges
 * what is complete.
 * @throws {StageError} when either side fails, {TableAltered} when another schema may be due; what was not acknowledged
 * is sent again by the next session.
 */
export async function streamChanges(session: Session): Promise<void> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const history = await historyOf(session, failure.reject);
  const streaming = new Streaming(session, history, failure.reject);
  try {
    const { ended } = await streaming.begin();
    await Promise.race([ended, failure.promise, aborted(session.signal)]);
    await streaming.drain();
  } finally {
    await streaming.end();
  }
}

/** The WAL on its way from the slot to Kafka. */
class Streaming {
  readonly #session: Session;
  readonly #fail: (error: unknown) => void;
  readonly #tenure = new Tenure(() => performance.now());
  readonly #outbox: Outbox;
  readonly #reader: Reader;
  readonly #timers: NodeJS.Timeout[] = [];
  #stream: WalStream | undefined;
  #isReading = true;
  /** A row can't be carried. */
  #isRefused = false;

  constructor(session: Session, history: History | undefined, fail: (error: unknown) => void) {
    const { slot, schema, recordOf } = session;
    this.#session = session;
    this.#fail = fail;
    const outbox = new Outbox({
      confirmed: slot.confirmedLsn,
      send: async (records) => {
        this.#tenure.require();
        await session.publish(records);
      },
      onConfirmed: (lsn) => this.#stream?.confirm(lsn),
      onPressure: (full) => (full || !this.#isReading ? this.#stream?.pause() : this.#stream?.resume()),
      onError: fail,
    });
    const add = (record: KafkaRecord) => {
      history?.see(record);
      outbox.add(record);
    };
    const mark = (lsn: Lsn) => {
      history?.pass(lsn);
      outbox.mark(lsn);
    };
    this.#outbox = outbox;
    this.#reader = new Reader({ epoch: slot.epoch, from: slot.confirmedLsn, schema, recordOf, add, mark });
  }

  /** @returns what rejects when the stream ends */
  async begin(): Promise<{ ended: Promise<never> }> {
    const { log, slot, config } = this.#session;
    const stream = await open(this.#session, {
      onMessage: (bytes, lsn) => this.#take(bytes, lsn),
      onKeepalive: (lsn, replyWanted) => {
        this.#reader.onKeepalive(lsn);
        if (replyWanted) this.#stream?.confirm(this.#outbox.confirmed);
      },
    });
    this.#stream = stream;
    log.info({ from: formatLsn(slot.confirmedLsn), epoch: slot.epoch }, 'streaming');
    this.#timers.push(setInterval(() => stream.ping(this.#outbox.confirmed), BEAT_MS));
    const pace = new Pace();
    const show = () => this.#tenure.renew(() => showFigures(this.#session, this.#outbox, this.#reader, pace));
    this.#timers.push(regularly(FIGURES_MS, show, this.#fail));
    await show();
    return { ended: stream.ended.catch((error) => Promise.reject(streamError(config.postgres, error))) };
  }

  /** Reads no further; resolves when all that was read is published. */
  async drain(): Promise<void> {
    this.#stopReading();
    await this.#outbox.drain();
  }

  async end(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopReading();
    // What lies before a row that can't be carried is good.
    if (this.#isRefused) await this.#outbox.drain();
    // A batch that is under way must not land behind the records of the next session.
    await this.#outbox.stop();
    this.#stream?.confirm(this.#outbox.confirmed);
    this.#session.log.info({ confirmed: formatLsn(this.#outbox.confirmed) }, 'stopped streaming');
    await this.#stream?.close();
  }

  #stopReading(): void {
    this.#isReading = false;
    this.#stream?.pause();
  }

  #take(bytes: Buffer, lsn: Lsn): void {
    try {
      this.#reader.onMessage(bytes, lsn);
    } catch (error) {
      this.#isRefused = !isHistoryLost(error);
      throw error;
    }
  }
}

/** What to watch for after the server was started anew; nothing where it is known to go on where the topic ends. */
async function historyOf(session: Session, fail: (error: unknown) => void): Promise<History | undefined> {
  const { control, slot, config, published } = session;
  if (slot.serverKnown) return undefined;
  const { end } = await readWal(control, config.postgres);
  const newest = await published();
  const known = () => void markServerKnown(control, config.postgres.slot).catch(fail);
  const ahead = isAhead(newest?.position, slot.epoch, slot.confirmedLsn, end);
  if (newest && ahead) return new History(newest, end, known);
  known();
  return undefined;
}

/** Does `work` every `ms`, never twice at once. */
function regularly(ms: number, work: () => Promise<void>, fail: (error: unknown) => void): NodeJS.Timeout {
  let busy = false;
  const once = async () => {
    if (busy) return;
    busy = true;
    await work().catch(fail);
    busy = false;
  };
  return setInterval(() => void once(), ms);
}

async function open(
  { config, access }: Session,
  handlers: Pick<WalOptions, 'onMessage' | 'onKeepalive'>,
): Promise<WalStream> {
  const { credentials, ca } = access.POSTGRES;
  const { slot, publication } = config.postgres;
  try {
    const client = postgresClient(config.postgres, credentials, ca);
    return await openStream({ client, slot, publication, ...handlers });
  } catch (error) {
    throw streamError(config.postgres, error);
  }
}

function streamError(section: Session['config']['postgres'], error: unknown): Error {
  if (error instanceof TableAltered) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (code === '55006') {
    return new StageError('Postgres', 'SlotActive', `${message}; it is tried again`, { cause: error });
  }
  return postgresError(section, error);
}

async function showFigures(session: Session, outbox: Outbox, reader: Reader, pace: Pace): Promise<void> {
  const { metrics, health, control, config } = session;
  const { end, atRisk, safeBytes, epoch } = await readWal(control, config.postgres);
  if (epoch !== session.slot.epoch) throw epochOver(session.slot.epoch);
  const { confirmed } = outbox;
  const lag = Number(end > confirmed ? end - confirmed : 0n);
  const idle = outbox.idle && !reader.inTransaction;
  metrics.lagBytes.set(lag);
  metrics.lagSeconds.set(idle ? 0 : Math.max(0, Date.now() - reader.committedAt) / 1000);
  const relayedForMs = Math.round(pace.look(end, confirmed, performance.now()));
  if (safeBytes !== undefined) metrics.safeBytes.set(safeBytes);
  if (atRisk) health.notReady('Postgres', 'SlotAtRisk', riskOf(config.postgres.slot));
  else health.ready({ records: metrics.total, lagBytes: lag, relayedForMs });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

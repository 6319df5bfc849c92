import { StageError } from '../lib/health.ts';
import { postgresClient, postgresError } from '../lib/postgres.ts';
import { History, isAhead, isHistoryLost } from './history.ts';
import { formatLsn, type Lsn } from './lsn.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';
import { Reader } from './reader.ts';
import { TableAltered } from './schema.ts';
import type { Session } from './session.ts';
import { epochOver, markServerKnown, readWal, riskOf } from './slot.ts';
import { openStream, type WalStream } from './stream.ts';
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
  const { log, signal, slot } = session;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  let stream: WalStream | undefined;
  let [reading, refused] = [true, false];
  const history = await historyOf(session, failure.reject);
  const tenure = new Tenure(() => performance.now());
  const outbox = new Outbox({
    confirmed: slot.confirmedLsn,
    send: async (records) => {
      tenure.require();
      await session.publish(records);
    },
    onConfirmed: (lsn) => stream?.confirm(lsn),
    onPressure: (full) => (full || !reading ? stream?.pause() : stream?.resume()),
    onError: failure.reject,
  });
  const reader = new Reader({
    epoch: slot.epoch,
    from: slot.confirmedLsn,
    schema: session.schema,
    recordOf: session.recordOf,
    add: (record) => {
      history?.see(record);
      outbox.add(record);
    },
    mark: (lsn) => {
      history?.pass(lsn);
      outbox.mark(lsn);
    },
  });
  const timers: NodeJS.Timeout[] = [];
  try {
    const take = (bytes: Buffer, lsn: Lsn) => {
      try {
        reader.onMessage(bytes, lsn);
      } catch (error) {
        refused = !isHistoryLost(error);
        throw error;
      }
    };
    const reply = () => stream?.confirm(outbox.confirmed);
    stream = await open(session, { onMessage: take, onKeepalive: (lsn) => reader.onKeepalive(lsn) }, reply);
    log.info({ from: formatLsn(slot.confirmedLsn), epoch: slot.epoch }, 'streaming');
    timers.push(setInterval(() => stream?.ping(outbox.confirmed), BEAT_MS));
    const pace = new Pace();
    const show = () => tenure.renew(() => showFigures(session, outbox, reader, pace));
    timers.push(regularly(FIGURES_MS, show, failure.reject));
    await show();
    const ended = stream.ended.catch((error) => Promise.reject(streamError(session.config.postgres, error)));
    await Promise.race([ended, failure.promise, aborted(signal)]);
    reading = false;
    stream.pause();
    await outbox.drain();
  } finally {
    for (const timer of timers) clearInterval(timer);
    reading = false;
    stream?.pause();
    // What lies before a row that can't be carried is good. A batch that is under way must not land behind the next session's.
    await (refused ? outbox.drain() : outbox.stop());
    stream?.confirm(outbox.confirmed);
    log.info({ confirmed: formatLsn(outbox.confirmed) }, 'stopped streaming');
    await stream?.close();
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

type Handlers = { onMessage(bytes: Buffer, lsn: Lsn): void; onKeepalive(lsn: Lsn): void };

async function open({ config, access }: Session, to: Handlers, reply: () => void): Promise<WalStream> {
  const { credentials, ca } = access.POSTGRES;
  const { slot, publication } = config.postgres;
  try {
    return await openStream({
      client: postgresClient(config.postgres, credentials, ca),
      slot,
      publication,
      onMessage: to.onMessage,
      onKeepalive: (lsn, replyWanted) => {
        to.onKeepalive(lsn);
        if (replyWanted) reply();
      },
    });
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

import type { Socket } from 'node:net';
import type { ClientConfig } from 'pg';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import { formatLsn, type Lsn, parseLsn } from './lsn.ts';
import { VALUE_SETTINGS } from './row-encoder.ts';

export type WalOptions = {
  client: ClientConfig;
  slot: string;
  publication: string;
  /** A message of pgoutput, which stands until the call returns; `lsn` is the start of its own WAL record. */
  onMessage(bytes: Buffer, lsn: Lsn): void;
  /** The server has nothing left to send of what was committed before `lsn`. */
  onKeepalive(lsn: Lsn, replyWanted: boolean): void;
};

export type WalStream = {
  pause(): void;
  resume(): void;
  /** Tells the server that everything before `lsn` is safe and needn't be kept. */
  confirm(lsn: Lsn): void;
  /** The same, and asks the server for a keepalive: to one that hears from us it sends none by itself. */
  ping(lsn: Lsn): void;
  /** Rejects when the stream ends: by the server, the network, or an error while a message was handled. */
  ended: Promise<never>;
  close(): Promise<void>;
};

/** The server ends a stream that is silent for this long, so that a standby can take over. */
export const SERVER_TIMEOUT_MS = 20_000;
/** The server answers each ping: a longer silence is a broken connection. */
const SILENCE_MS = SERVER_TIMEOUT_MS * 1.5;
const CLOSE_MS = 2000;

/** Subscribes, and leaves the messages as they came. */
class RawPgoutput extends PgoutputPlugin {
  override parse(bytes: Buffer): ReturnType<PgoutputPlugin['parse']> {
    return bytes as unknown as ReturnType<PgoutputPlugin['parse']>;
  }
}

const SETTINGS = `${VALUE_SETTINGS} -c wal_sender_timeout=${SERVER_TIMEOUT_MS}`;

/**
 * Starts to read `slot` from its confirmed position.
 * @throws the server's error, as 55006 for a slot that another relay reads.
 */
export async function openStream(options: WalOptions): Promise<WalStream> {
  // Never acknowledges by itself: neither what it received nor on a timer.
  const service = new LogicalReplicationService(
    { ...options.client, options: SETTINGS },
    { acknowledge: { auto: false, timeoutSeconds: 0 } },
  );
  const end = Promise.withResolvers<never>();
  end.promise.catch(() => {});
  const wire = wireUp(service, options, end.reject);
  const started = new Promise<void>((resolve) => service.once('start', resolve));
  const plugin = new RawPgoutput({ protoVersion: 1, publicationNames: [options.publication] });
  service
    .subscribe(plugin, options.slot)
    .then(() => end.reject(new Error('the server ended the replication stream')), end.reject);
  try {
    await Promise.race([started, end.promise]);
  } catch (error) {
    await wire.close();
    throw error;
  }
  return { ...wire, ended: end.promise };
}

function wireUp(service: LogicalReplicationService, options: WalOptions, fail: (error: unknown) => void) {
  let [open, paused, heard] = [true, false, performance.now()];
  // A failed stream hands on nothing more: what follows a lost message must never be confirmed.
  const guarded = (handle: () => void) => {
    heard = performance.now();
    if (!open) return;
    try {
      handle();
    } catch (error) {
      open = false;
      fail(error);
    }
  };
  service.on('error', fail);
  service.on('data', (lsn, bytes: Buffer) => guarded(() => options.onMessage(bytes, parseLsn(lsn))));
  service.on('heartbeat', (lsn, _time, replyWanted) =>
    guarded(() => options.onKeepalive(parseLsn(lsn), replyWanted)),
  );
  const watch = setInterval(() => {
    if (!paused && performance.now() - heard > SILENCE_MS) {
      fail(new Error(`the server has been silent for ${SILENCE_MS / 1000} s`));
    }
  }, 1000);
  const setPaused = (value: boolean) => {
    [paused, heard] = [value, performance.now()];
    value ? socketOf(service)?.pause() : socketOf(service)?.resume();
  };
  return {
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    // The library adds one to what it is given.
    confirm: (lsn: Lsn) => void service.acknowledge(formatLsn(lsn - 1n)),
    ping: (lsn: Lsn) => void service.acknowledge(formatLsn(lsn - 1n), true),
    close: async () => {
      open = false;
      clearInterval(watch);
      await closeService(service);
    },
  };
}

/** Ends the connection politely, by force if the server doesn't answer. */
async function closeService(service: LogicalReplicationService): Promise<void> {
  const socket = socketOf(service);
  socket?.resume();
  const force = setTimeout(() => socket?.destroy(), CLOSE_MS);
  await service.destroy().catch(() => {});
  clearTimeout(force);
  service.on('error', () => {});
}

/** The library has flow control, but it lets keepalives overtake the messages that it holds back. */
function socketOf(service: LogicalReplicationService): Socket | undefined {
  const connection = Reflect.get(service, '_connection') as { stream?: Socket } | null;
  return connection?.stream;
}

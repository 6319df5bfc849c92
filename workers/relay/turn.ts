import type { Client } from 'pg';
import { sleep } from '../lib/retry.ts';
import type { SessionContext } from './session.ts';
import { readSlot, type SlotState, tryLock } from './slot.ts';
import { SERVER_TIMEOUT_MS } from './stream.ts';

const POLL_MS = 1000;
/** A relay that is gone frees the slot within the server's timeout: who reads it for longer is somebody else. */
const FOREIGN_MS = SERVER_TIMEOUT_MS * 1.5;

/**
 * Waits until this relay is the one that may read the slot.
 * @throws {StageError} when the slot is missing or lost, or the server can't be asked.
 */
export async function awaitTurn(context: SessionContext, control: Client): Promise<SlotState> {
  const { config, log, signal } = context;
  const name = config.postgres.slot;
  let [locked, told] = [false, false];
  let readSince: number | undefined;
  for (;;) {
    locked ||= await tryLock(control, name);
    const slot = await readSlot(control, config.postgres);
    if (locked && slot.reader === null) return slot;
    if (!told) log.info({ slot: name, locked, reader: slot.reader }, 'standing by: the slot is being read');
    told = true;
    readSince = locked ? (readSince ?? performance.now()) : undefined;
    report(context, slot, readSince !== undefined && performance.now() - readSince > FOREIGN_MS);
    await sleep(POLL_MS, signal);
  }
}

/** A standby is as it should be; one that all relays wait for in vain isn't. */
function report({ config, health, metrics }: SessionContext, { reader }: SlotState, isForeign: boolean) {
  if (!isForeign) {
    health.ready({ standby: 1, records: metrics.total, lagBytes: 0 });
    return;
  }
  health.notReady(
    'Postgres',
    'SlotHeld',
    `replication slot ${config.postgres.slot} is read by another client than a relay, through the server's process ${reader}: see who that is in pg_stat_replication and end it, or run SELECT pg_terminate_backend(${reader})`,
  );
}

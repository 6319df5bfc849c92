import type { Change } from './changes.ts';
import { epochOf, versionOf } from './lsn.ts';
import { versioned } from './records.ts';
import type { Session } from './session.ts';
import { markSnapshotDone, raiseEpoch, type SlotState } from './slot.ts';
import { takeSnapshot } from './snapshot.ts';

/**
 * Publishes the table as it stands, and that all else is gone.
 * @returns the slot as it stands then; its epoch outranks all that the topic held.
 */
export async function beginEpoch(session: Session): Promise<SlotState> {
  const { control, log, health, metrics, config } = session;
  const slot = await outrank(session);
  const version = versionOf(slot.epoch, slot.startLsn);
  log.info({ epoch: slot.epoch }, 'publishing the table as it stands');
  const publish = async (changes: Change[]) => {
    await session.publish(changes.map((change) => versioned(session.recordOf(change), version)));
    health.ready({ records: metrics.total, snapshot: 1 });
  };
  const { columns } = session.schema;
  // Asked by each attempt anew: the one that comes to its end has published every row behind this.
  const start = await session.endOffsets();
  const rows = await takeSnapshot(control, { columns, publish, signal: session.signal });
  await session.endEpoch(version, start);
  await markSnapshotDone(control, config.postgres.slot, slot.epoch);
  log.info({ epoch: slot.epoch, rows }, 'published the table');
  return { ...slot, snapshotDone: true, serverKnown: true };
}

/** A database that was restored may count epochs anew: those that the topic has seen already would lose to themselves. */
async function outrank({ control, slot, config, log, published }: Session): Promise<SlotState> {
  const epoch = epochAbove((await published())?.version, slot);
  if (epoch === slot.epoch) return slot;
  // What no version can hold must not be noted: no later session would get past it.
  versionOf(epoch, slot.startLsn);
  log.warn({ recorded: slot.epoch, epoch }, 'the topic holds a later epoch than the database knows of');
  await raiseEpoch(control, config.postgres.slot, slot.epoch, epoch);
  return { ...slot, epoch };
}

/**
 * The epoch whose snapshot wins over all that was published: the slot's own, unless the newest record is of a later one,
 * or of the same one and yet not of this snapshot.
 */
export function epochAbove(
  newest: bigint | undefined,
  { epoch, startLsn }: Pick<SlotState, 'epoch' | 'startLsn'>,
): number {
  if (newest === undefined) return epoch;
  const isOwn = newest === versionOf(epoch, startLsn);
  return isOwn || epochOf(newest) < epoch ? epoch : epochOf(newest) + 1;
}

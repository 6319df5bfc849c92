import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, IHeaders } from 'kafkajs';
import { withAdmin } from '../lib/kafka-admin.ts';
import { ConfigResourceTypes, type Kafka } from '../lib/kafkajs.ts';

/** A record that has to do with the user: by its key, or somewhere in its value. */
export type Trace = {
  partition: number;
  offset: string;
  at: number;
  /** What the relay ordered it by; 0 where it isn't the relay's. */
  version: bigint;
  isTombstone: boolean;
};

/** Nothing came for so long: the topic's end could not be reached. */
const STALLED_MS = 60_000;

/**
 * Reads the whole topic as it stands, and gives the records that `concerns` picks out, in each partition's order. The
 * consumer group that Kafka makes for it is deleted again.
 */
export async function scan(
  kafka: Kafka,
  topic: string,
  concerns: (key: Buffer | null, value: Buffer | null) => boolean,
): Promise<Trace[]> {
  const admin = kafka.admin();
  const groupId = `userstream-erase-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 500 });
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    const ends = new Map(
      offsets.filter(({ low, high }) => low !== high).map((each) => [each.partition, BigInt(each.high)]),
    );
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    return await readTo(ends, (eachBatch) => consumer.run({ autoCommit: false, eachBatch }), concerns);
  } finally {
    await consumer.disconnect().catch(() => {});
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect().catch(() => {});
  }
}

/** Resolves when each partition has been read to its end. */
async function readTo(
  ends: Map<number, bigint>,
  run: (eachBatch: (payload: EachBatchPayload) => Promise<void>) => Promise<void>,
  concerns: (key: Buffer | null, value: Buffer | null) => boolean,
): Promise<Trace[]> {
  const traces: Trace[] = [];
  if (ends.size === 0) return traces;
  const { promise, resolve, reject } = Promise.withResolvers<Trace[]>();
  const stalled = () => reject(new Error(`its end was not reached: ${STALLED_MS / 1000} s without a record`));
  const timer = setTimeout(stalled, STALLED_MS);
  await run(async ({ batch }) => {
    timer.refresh();
    for (const { key, value, offset, timestamp, headers } of batch.messages) {
      if (!concerns(key, value)) continue;
      const version = versionOf(headers);
      const isTombstone = value === null;
      traces.push({ partition: batch.partition, offset, at: Number(timestamp), version, isTombstone });
    }
    const end = ends.get(batch.partition);
    if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) ends.delete(batch.partition);
    if (ends.size === 0) resolve(traces);
  });
  return promise.finally(() => clearTimeout(timer));
}

function versionOf(headers: IHeaders | undefined): bigint {
  const text = String(headers?.['version'] ?? '');
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** The settings of a topic that are in force, by name. */
export async function settingsOf(kafka: Kafka, topic: string): Promise<Map<string, string>> {
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
  const answer = await withAdmin(kafka, (admin) =>
    admin.describeConfigs({ includeSynonyms: false, resources }),
  );
  const entries = answer.resources[0]?.configEntries ?? [];
  return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
}

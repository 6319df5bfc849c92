import type { SparkDriver } from '../audit/driver.ts';
import { hasReadSince } from '../audit/passage.ts';
import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import { StageError } from '../lib/health.ts';
import { kafkaClient } from '../lib/kafka.ts';
import { kafkaError } from '../lib/kafka-errors.ts';
import { type RetryContext, sleep, untilDone } from '../lib/retry.ts';
import { isPublished, type Query, walEnd } from '../lib/wal.ts';
import { deletionOf } from './cassandra.ts';
import { endsWithTombstone, goneBy } from './lifetime.ts';
import { deleteUser, type Found, findUser, withQuery } from './postgres.ts';
import { scan, settingsOf, type Trace } from './topic.ts';

/** What a topic still holds of the user, and by when that is gone; undefined where its settings don't bound it. */
export type Remains = { topic: string; traces: Trace[]; goneBy: Date | undefined };

/** What was deleted, and what was found in each store when all was done: in Postgres and Cassandra nothing. */
export type Proof = { deleted: Found; users: Remains; deadLetters: Remains };

export type EraseContext = RetryContext & {
  config: Pick<Sections, 'postgres' | 'kafka' | 'cassandra'>;
  access: Record<'POSTGRES' | 'KAFKA' | 'CASSANDRA', Access>;
  driver: Pick<SparkDriver, 'readToEndAgoMs'>;
};

const POLL_MS = 500;

/**
 * Deletes the user in Postgres, waits until the stream has carried that to Cassandra, and looks into every store. May be
 * run again: what is gone already is fine.
 * @throws {StageError} CameBack where the user was written again meanwhile, LeftInCassandra where no deletion in Postgres
 * reaches it; or the signal's AbortError
 */
export async function erase(context: EraseContext, id: string): Promise<Proof> {
  const { config, access } = context;
  const { topic, deadLetterTopic } = config.kafka;
  const deleted = await untilDone(() => deleteUser(config.postgres, access.POSTGRES, id), context);
  context.log.info(deleted, 'deleted in Postgres');
  await passed(context);
  const deletion = await untilDone(() => deletionOf(config.cassandra, access.CASSANDRA, id), context);
  const isOfUser = (key: Buffer | null) => key?.toString().toLowerCase() === id;
  const users = await remains(context, topic, isOfUser);
  const deadLetters = await remains(
    context,
    deadLetterTopic,
    (key, value) => isOfUser(key) || value?.includes(id) === true,
  );
  const left = await untilDone(() => findUser(config.postgres, access.POSTGRES, id), context);
  if (left.users + left.rejected > 0 || !endsWithTombstone(users.traces)) throw cameBack(id);
  if (deletion) throw leftInCassandra(id, deletion);
  return { deleted, users, deadLetters };
}

/** What the user was before may still be under way: only behind that Cassandra's word counts. */
async function passed(context: EraseContext): Promise<void> {
  const { config, access, driver } = context;
  const inPostgres = <T>(work: (query: Query) => Promise<T>) =>
    withQuery(config.postgres, access.POSTGRES, work);
  const end = await untilDone(() => inPostgres(walEnd), context);
  const isOut = () => inPostgres((query) => isPublished(query, config.postgres.slot, end));
  await untilSo(context, 'the relay has published it', isOut);
  const published = performance.now();
  await untilSo(context, 'Spark has carried it to Cassandra', () => hasReadSince(driver, published));
}

/** Waits until `check` holds, and says meanwhile what is waited for. */
async function untilSo(context: EraseContext, what: string, check: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await untilDone(check, context)); looks += 1) {
    if (looks % 20 === 0) context.log.info(`waits until ${what}`);
    await sleep(POLL_MS, context.signal);
  }
  context.log.info(what);
}

function remains(
  context: EraseContext,
  topic: string,
  concerns: (key: Buffer | null, value: Buffer | null) => boolean,
): Promise<Remains> {
  const { config, access, log } = context;
  const { credentials, ca } = access.KAFKA;
  return untilDone(async () => {
    const kafka = kafkaClient(config.kafka, credentials, ca, log);
    try {
      const traces = await scan(kafka, topic, concerns);
      return { topic, traces, goneBy: goneBy(traces, await settingsOf(kafka, topic)) };
    } catch (error) {
      throw kafkaError(config.kafka, error);
    }
  }, context);
}

function leftInCassandra(id: string, deletion: string): StageError {
  return new StageError(
    'Cassandra',
    'LeftInCassandra',
    `user ${id} stands in Cassandra still, where no deletion in Postgres reaches it: run ${deletion} there, and this again`,
  );
}

function cameBack(id: string): StageError {
  return new StageError(
    'Postgres',
    'CameBack',
    `user ${id} was written again while it was erased: see that the source no longer has it, and run this again`,
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.ts';

const PAUSE_MS = 100;
/** Users that stand while more are inserted and deleted all the time. */
const STANDING = 2000;
/** One transaction of so many has a large value. */
const LARGE_EVERY = 50;
/** Far more than are ever under way. */
const REMEMBERED = 1000;

const OWN = "first_name = 'load'";
const IN_OR_OUT = "(ARRAY['in', 'out', NULL])[1 + floor(random() * 3)::int]";
/** A character of each of Unicode's planes, none of them half a pair. */
const EVERY_PLANE =
  "(SELECT string_agg(chr(plane * 65536 + 256 + floor(random() * 40000)::int), '') FROM generate_series(0, 16) AS plane)";
/** 100 kB that don't compress: the server keeps it beside the row, and an update of another column leaves it out. */
const LARGE = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 3200))";

/** The ids of some users, from a random one on. */
const some = (count: number, where = 'TRUE') => `ANY (ARRAY(
  SELECT id FROM users WHERE ${where} AND id >= (SELECT gen_random_uuid()) ORDER BY id LIMIT ${count}))`;

/** The SQL of a pipeline under load: `Load` moves users in and out of it. Postgres and Spark say the same to it. */
export const SQL = `SELECT id, first_name, last_name, gender, address, upper(email) AS email, phone, dob, picture
  FROM users WHERE coalesce(gender, '') <> 'out'`;

/** A user that went with the transaction before comes again, and goes and comes within this one. */
const comesAgain = (id: string) => `
  INSERT INTO users (id, first_name) VALUES ('${id}', 'load');
  DELETE FROM users WHERE id = '${id}';
  INSERT INTO users (id, first_name, last_name) VALUES ('${id}', 'load', 'again');`;

const GROW = `UPDATE users SET picture = ${LARGE} WHERE id = ${some(1, OWN)};`;

/**
 * A transaction as teams have them: some come, some change, one of those twice, some get another key, some go. It answers
 * a place in the WAL before its end (`lsn`), and one of those who went (`gone`).
 */
const changes = (more: string) => `
  BEGIN;
  ${more}
  INSERT INTO users (id, first_name, gender, address, dob)
    SELECT gen_random_uuid(), 'load', ${IN_OR_OUT}, ${EVERY_PLANE}, now() FROM generate_series(1, 10);
  UPDATE users SET email = md5(random()::text), gender = ${IN_OR_OUT} WHERE id = ${some(10)};
  UPDATE users SET phone = NULL, last_name = ${EVERY_PLANE} WHERE id = ${some(5)};
  UPDATE users SET id = gen_random_uuid() WHERE id = ${some(2, OWN)};
  DELETE FROM users WHERE id = ${some(1, OWN)} RETURNING id AS gone;
  DELETE FROM users WHERE ${OWN} AND id IN (
    SELECT id FROM users WHERE ${OWN} ORDER BY random()
    LIMIT greatest(0, (SELECT count(*) FROM users WHERE ${OWN}) - ${STANDING}));
  SELECT pg_current_wal_insert_lsn()::text AS lsn;
  COMMIT`;

/** Inserts, updates and deletes in a pipeline's Postgres, transaction after transaction, also while it is away at times. */
export class Load {
  readonly #world: World;
  #running: Promise<void> | undefined;
  #stopped = false;
  #gone: string | undefined;
  /** Transactions that were committed so far. */
  committed = 0;
  /** Places in the WAL, each before the end of one of the last of them. */
  readonly places: string[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
  }

  /** Resolves when the transaction in hand has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#transact().catch(() => {});
      await sleep(PAUSE_MS);
    }
  }

  async #transact(): Promise<void> {
    const again = this.#gone ? comesAgain(this.#gone) : '';
    // Whether it was committed isn't known where the answer is lost: then he is left alone.
    this.#gone = undefined;
    const rows = await this.#world.postgresQuery(
      changes(again + (this.committed % LARGE_EVERY === 0 ? GROW : '')),
    );
    for (const { lsn, gone } of rows) {
      if (lsn) this.places.push(String(lsn));
      if (gone) this.#gone = String(gone);
    }
    this.places.splice(0, this.places.length - REMEMBERED);
    this.committed += 1;
  }
}

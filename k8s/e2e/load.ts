import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.ts';

const PAUSE_MS = 100;
/** Users that stand while more are inserted and deleted all the time. */
const STANDING = 2000;

/** A transaction as teams have them: some come, some change, one of those twice, some go. */
const CHANGES = `
  BEGIN;
  INSERT INTO users (id, first_name, dob)
    SELECT gen_random_uuid(), 'load', now() FROM generate_series(1, 10);
  UPDATE users SET email = md5(random()::text) WHERE id IN (SELECT id FROM users ORDER BY random() LIMIT 10);
  UPDATE users SET phone = NULL, last_name = md5(random()::text) WHERE id IN (SELECT id FROM users ORDER BY random() LIMIT 5);
  DELETE FROM users WHERE first_name = 'load' AND id IN (
    SELECT id FROM users WHERE first_name = 'load' ORDER BY random()
    LIMIT greatest(0, (SELECT count(*) FROM users WHERE first_name = 'load') - ${STANDING}));
  COMMIT`;

/** Inserts, updates and deletes in a pipeline's Postgres, transaction after transaction, also while it is away at times. */
export class Load {
  readonly #world: World;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Transactions that were committed so far. */
  committed = 0;

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
      const done = await this.#world.postgresQuery(CHANGES).then(
        () => true,
        () => false,
      );
      if (done) this.committed += 1;
      await sleep(PAUSE_MS);
    }
  }
}

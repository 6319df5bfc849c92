import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { KubeClient } from '../../operator/src/kube/client.ts';
import { until } from '../../workers/test/wait.ts';
import { cut } from './cut.ts';
import { KAFKA, sourceOf } from './installed.ts';
import { killAll } from './kill.ts';
import { Load, SQL } from './load.ts';
import { processesOf } from './processes.ts';
import { type Kill, type PodName, podsOf, STAGES } from './stages.ts';
import { kafkaKeys } from './stores.ts';
import { differences, type Users } from './users.ts';
import { World } from './world.ts';

const MINUTES = 60_000;

const SPEC = {
  source: sourceOf('chaos', 5),
  relay: { replicas: 1 },
  postgres: { managed: { storage: { size: '1Gi' }, maxSlotWalKeepSize: '256Mi' } },
  spark: { executor: { instances: 1 }, sql: SQL },
};

/** A pipeline under steady load, to which things are done; afterwards Cassandra must hold what its SQL makes of Postgres. */
export class Chaos {
  readonly world: World;
  readonly load: Load;
  readonly #done: { what: string; unacknowledged: number; of: string }[] = [];

  constructor(client: KubeClient, name: string) {
    this.world = new World(client, 'e2e', name);
    this.load = new Load(this.world);
  }

  async start(): Promise<void> {
    await this.world.apply(SPEC);
    await until('the pipeline to be Ready', () => this.world.isReady(), 10 * MINUTES);
    this.load.start();
  }

  /** Prints what was done, and how much was under way at each. */
  async stop(): Promise<void> {
    await this.load.stop();
    await this.world.delete();
    console.table(this.#done);
  }

  /** Kills one stage, and others with it, at the very moment at which it works on something. */
  async kill([victim, ...others]: Kill): Promise<void> {
    const what = [victim, ...others].join(' and ');
    const pods = await Promise.all([victim, ...others].map((name) => this.#one(name)));
    const { work, unit } = STAGES[victim];
    const inHand = await work(this);
    try {
      const pids = pods.map(({ metadata }) => processesOf(metadata?.uid ?? ''));
      const left = await until(`${unit} before ${what} is killed`, () => inHand.left(), MINUTES);
      const killed = pids.map(killAll);
      assert.ok(!killed.includes(0), `processes of ${what} killed: ${killed}`);
      this.#done.push({ what: `${what} killed`, unacknowledged: left, of: unit });
    } finally {
      await inHand.close();
    }
    const { committed } = this.load;
    await until('load to go on', () => this.load.committed >= committed + 20, 3 * MINUTES);
    await this.settled(`${what} was killed`);
  }

  /** Cuts two stages apart for a while. */
  async cut(one: PodName, other: PodName, ms: number): Promise<void> {
    const mend = cut(await this.#one(one), await this.#one(other));
    try {
      await sleep(ms);
      await this.noteBehind(`${one} and ${other} cut apart`);
    } finally {
      mend();
    }
    await this.settled(`${one} and ${other} were cut apart`);
  }

  /** Notes that something was done, with the users that don't stand in Cassandra as they should. */
  async noteBehind(what: string): Promise<void> {
    const [wanted, present] = await Promise.all([this.#wanted(), this.world.cassandraUsers()]);
    this.#done.push({ what, unacknowledged: differences(wanted, present).length, of: 'users behind' });
  }

  /** Waits, without load, until Cassandra holds what it should, to the field; nothing may have been put aside. */
  async settled(what: string): Promise<void> {
    await this.load.stop();
    try {
      await this.#equal(what);
    } finally {
      this.load.start();
    }
  }

  async #equal(what: string): Promise<void> {
    const answer = () => this.#wanted().catch(() => undefined);
    const wanted = await until('Postgres to answer', answer, 3 * MINUTES);
    let found: string[] = [];
    const equal = async () => {
      found = await this.#apart(wanted).catch((error: Error) => [error.message]);
      return found.length === 0;
    };
    await until(`Cassandra to equal Postgres after ${what}`, equal, 5 * MINUTES).catch((error: Error) => {
      throw new Error(`${error.message}; apart: ${found.slice(0, 10).join('; ').slice(0, 2000)}`);
    });
    const deadLetters = await kafkaKeys(KAFKA, `e2e.${this.world.name}.users.dead-letter`);
    assert.deepEqual(deadLetters, new Set(), 'dead letters');
  }

  /** Postgres' own dialect says the same to the SQL as Spark's. */
  #wanted(): Promise<Users> {
    return this.world.postgresUsers(SQL);
  }

  /** What sets Cassandra apart from `wanted`; users that came to Postgres since then may stand there as well. */
  async #apart(wanted: Users): Promise<string[]> {
    const present = await this.world.cassandraUsers();
    const since = await this.#wanted();
    const known = [...present].filter(([id]) => wanted.has(id) || !since.has(id));
    return differences(wanted, new Map(known));
  }

  /** A running pod of that name, once there is one. */
  #one(name: PodName): Promise<V1Pod> {
    const running = async () =>
      (await podsOf(name, this.world)).find(({ metadata }) => processesOf(metadata?.uid ?? '').length > 0);
    return until(`a running pod of ${name}`, running, 3 * MINUTES);
  }
}

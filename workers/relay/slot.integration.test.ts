import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { Status } from '../lib/health.ts';
import { postgresClient } from '../lib/postgres.ts';
import { provisionPostgres } from '../provision/postgres.ts';
import { RelayBench } from '../test/relay.ts';
import { reaches, standsBy } from '../test/relay-status.ts';
import { until } from '../test/wait.ts';
import { readSlot } from './slot.ts';
import { openStream } from './stream.ts';

describe('the relay’s slot', () => {
  let bench: RelayBench = undefined as never;
  let superuser: pg.Client = undefined as never;
  const connect = async (credentials = bench.postgres.credentials) => {
    const client = new pg.Client(postgresClient(bench.postgres.section, credentials));
    await client.connect();
    return client;
  };

  before(async () => {
    bench = await RelayBench.start();
    superuser = await connect(bench.postgres.superuser);
  });
  after(async () => {
    await superuser?.end();
    await bench?.stop();
  });

  /** Writes more WAL, in segments of 16 MiB, than the 256 MiB that the server keeps for a slot. */
  async function writePastTheLimit() {
    for (let segment = 0; segment < 18; segment += 1) {
      await superuser.query('CREATE TABLE noise (); DROP TABLE noise');
      await superuser.query('SELECT pg_switch_wal()');
    }
  }

  test('is one on which an idle server answers each ping', async (t) => {
    const { section, credentials } = bench.postgres;
    const heard: bigint[] = [];
    const stream = await openStream({
      client: postgresClient(section, credentials),
      slot: section.slot,
      publication: section.publication,
      onMessage: () => {},
      onKeepalive: (lsn) => void heard.push(lsn),
    });
    t.after(() => stream.close());
    for (let pings = 0; pings < 10; pings += 1) {
      const before = heard.length;
      stream.ping(heard.at(-1) ?? (await readSlot(bench.db, section)).confirmedLsn);
      await until(`the answer to ping ${pings}`, () => heard.length > before, 5000);
    }
  });

  test('that somebody else reads is told after a while, and taken up when it is free', async () => {
    const { section, credentials } = bench.postgres;
    const foreigner = await openStream({
      client: postgresClient(section, credentials),
      slot: section.slot,
      publication: section.publication,
      onMessage: () => {},
      onKeepalive: () => {},
    });
    const { confirmedLsn } = await readSlot(bench.db, section);
    const beat = setInterval(() => foreigner.confirm(confirmedLsn), 5000);
    const relay = await bench.startRelay();
    await reaches(relay, 'to stand by first', standsBy);
    const status = await reaches(relay, 'to tell of the reader', ({ ready }) => !ready, 60_000);
    assert.equal(status.reason, 'SlotHeld');
    assert.match(status.message, /pg_terminate_backend\(\d+\)/);
    clearInterval(beat);
    await foreigner.close();
    await bench.insert(10, 'Freed');
    await bench.equal('after the foreigner has gone');
  });

  test('that Kafka’s absence brings near its loss is told with that, and not lost if Kafka is back in time', async () => {
    await bench.kafka.halt();
    await bench.insert(100, 'Waiting');
    await writePastTheLimit();
    const warns = ({ reason, message }: Status) =>
      reason === 'BrokerUnreachable' && /may be lost at the next checkpoint/.test(message);
    await reaches(bench.relay, 'to warn', warns, 60_000);
    await bench.kafka.start();
    await bench.equal('after Kafka came back', 120_000);
    await until('the slot to be out of danger', async () => {
      const { rowCount } = await bench.db.query(
        `SELECT FROM pg_replication_slots WHERE wal_status = 'reserved'`,
      );
      return rowCount === 1;
    });
    // The next one is due only after as much WAL again.
    await superuser.query('CHECKPOINT');
    await reaches(bench.relay, 'to be content', ({ ready }) => ready);
  });

  test('that an open transaction holds back is told before it is lost and after, and made anew', async () => {
    const idle = await connect();
    // Decoding must be able to begin before a change that isn't committed; a transaction without one holds nothing back.
    await idle.query('BEGIN; CREATE TABLE held ()');
    await writePastTheLimit();
    await reaches(bench.relay, 'to warn', ({ reason }) => reason === 'SlotAtRisk');
    await superuser.query('CHECKPOINT');
    await bench.db.query(`DELETE FROM users WHERE first_name = 'Waiting'`);
    await reaches(bench.relay, 'to miss its WAL', ({ reason }) => reason === 'SlotLost');
    await idle.end();
    await provisionPostgres(bench.postgres.section, bench.owner);
    await bench.equal('in the new epoch, without who was deleted meanwhile');
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dropSlot, provisionPostgres } from '../provision/postgres.ts';
import { startProxy } from '../test/proxy.ts';
import { epochEnds } from '../test/records.ts';
import { RelayBench } from '../test/relay.ts';
import { reaches, standsBy } from '../test/relay-status.ts';
import type { TopicRecord } from '../test/topic.ts';
import { until } from '../test/wait.ts';

describe('the relay, when something fails,', () => {
  let bench: RelayBench = undefined as never;
  before(async () => {
    bench = await RelayBench.start();
  });
  after(() => bench?.stop());

  /** Waits until a control record more than the `before` first ones stands in each of the three partitions. */
  async function nextEnds(before: number) {
    const next = () => epochEnds(bench.users.records).slice(before);
    await until('the end of a new epoch', () => next().length === 3);
    return next();
  }

  test('sends again what Kafka had and Postgres did not know of, when killed in between', async () => {
    const proxy = await startProxy(bench.postgres.section);
    const relay = await bench.startRelay(proxy.port);
    await reaches(
      relay,
      'to stream',
      (status) => status.figures?.['lagBytes'] !== undefined && !standsBy(status),
    );
    await bench.insert(100, 'Before');
    await bench.equal('before the kill');
    proxy.muteClients();
    await bench.insert(100, 'Unacknowledged');
    await bench.db.query(`UPDATE users SET last_name = 'Twice' WHERE first_name = 'Unacknowledged'`);
    await bench.equal('while the acknowledgement is lost');
    await relay.end('SIGKILL');
    await proxy.close();
    const before = bench.users.records.length;
    await bench.db.query(`UPDATE users SET last_name = 'Thrice' WHERE first_name = 'Unacknowledged'`);
    await bench.startRelay();
    await bench.equal('after the restart');
    const again = bench.users.records.length - before;
    assert.ok(
      again >= 300,
      `${again} records came after the kill: 200 should have come again and 100 for the first time`,
    );
  });

  test('is replaced by a standby within seconds', async () => {
    const active = bench.relay;
    const standby = await bench.startRelay();
    assert.ok((await reaches(standby, 'to stand by', standsBy)).ready);
    await bench.insert(50, 'First');
    await active.end('SIGKILL');
    const killed = Date.now();
    await bench.insert(50, 'Second');
    await bench.equal('after the takeover');
    assert.ok(Date.now() - killed < 15_000, `the takeover took ${Date.now() - killed} ms`);
  });

  test('reports a broker that is away, and goes on when it is back', async () => {
    const relay = bench.relay;
    await bench.kafka.halt();
    await bench.insert(200, 'Patient');
    const status = await reaches(relay, 'to miss the broker', ({ ready }) => !ready, 60_000);
    assert.deepEqual([status.stage, status.reason], ['Kafka', 'BrokerUnreachable']);
    await bench.kafka.start();
    await bench.equal('after Kafka came back', 120_000);
  });

  test('says that its slot is gone, publishes the table anew, and ends who was deleted meanwhile', async () => {
    const relay = bench.relay;
    const before = epochEnds(bench.users.records).length;
    await dropSlot(bench.postgres.section, bench.owner);
    await bench.db.query(`UPDATE users SET phone = 'changed unseen'`);
    const gone = await bench.db.query(`DELETE FROM users WHERE first_name = 'Patient'`);
    const status = await reaches(relay, 'to miss its slot', ({ reason }) => reason === 'SlotMissing');
    assert.match(status.message, /run the provision job again/);
    await provisionPostgres(bench.postgres.section, bench.owner);
    await bench.equal('after the new snapshot');
    assert.equal(gone.rowCount, 200);
    const ends = await nextEnds(before);
    assert.deepEqual(ends.map(({ partition }) => partition).sort(), [0, 1, 2]);
    for (const { version, start, end } of ends) {
      assert.equal(version >> 48n, 1n);
      const snapshot = bench.users.records.filter(
        ({ headers }) => headers['version'] === String(version) && !headers['epoch-end'],
      );
      const isWithin = ({ partition, offset }: TopicRecord) =>
        offset >= BigInt(start[partition] ?? 0) && offset < BigInt(end[partition] ?? 0);
      assert.ok(snapshot.length > 0 && snapshot.every(isWithin));
    }
    await bench.insert(3, 'Streamed again');
    await bench.equal('in the new epoch');
  });

  test('wins over what the topic holds although the database that was restored counts epochs anew', async () => {
    const before = epochEnds(bench.users.records);
    await dropSlot(bench.postgres.section, bench.owner);
    await bench.db.query('DELETE FROM relay_state');
    await bench.db.query(`UPDATE users SET phone = 'as it was in the backup'`);
    await provisionPostgres(bench.postgres.section, bench.owner);
    await bench.equal('after the restore');
    const [end] = await nextEnds(before.length);
    assert.equal((end?.version ?? 0n) >> 48n, ((before.at(-1)?.version ?? 0n) >> 48n) + 1n);
  });

  const ASK_FOR_EPOCH = `
    UPDATE relay_state SET epoch = epoch + 1, snapshot_done = false, start_lsn = restart_lsn
    FROM pg_replication_slots WHERE slot_name = slot`;

  test('publishes the table anew when it is asked to, under an epoch above', async () => {
    const before = epochEnds(bench.users.records).length;
    assert.equal(await bench.relay.end('SIGTERM'), 0);
    await bench.db.query(ASK_FOR_EPOCH);
    await bench.startRelay();
    await nextEnds(before);
    await bench.equal('in the new epoch');
    await bench.insert(3, 'Streamed again');
    await bench.equal('with what came after it');
  });

  test('takes up a snapshot in which it was killed, and misses nobody who changed meanwhile', async () => {
    await bench.insert(60_000, 'Many');
    await bench.equal('before the snapshot');
    assert.equal(await bench.relay.end('SIGTERM'), 0);
    await bench.db.query(ASK_FOR_EPOCH);
    const [before, ends] = [bench.users.records.length, epochEnds(bench.users.records).length];
    const relay = await bench.startRelay();
    await until('the snapshot to begin', () => bench.users.records.length > before);
    await relay.end('SIGKILL');
    assert.equal(epochEnds(bench.users.records).length, ends, 'it was killed before the end');
    await bench.db.query(`DELETE FROM users WHERE id IN (SELECT id FROM users ORDER BY id LIMIT 500)`);
    await bench.db.query(`UPDATE users SET phone = 'meanwhile' WHERE id IN (SELECT id FROM users LIMIT 500)`);
    await bench.startRelay();
    await nextEnds(ends);
    await bench.equal('after the snapshot was taken up again');
  });
});

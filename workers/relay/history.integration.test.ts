import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { epochEnds } from '../test/records.ts';
import { RelayBench } from '../test/relay.ts';
import { reaches, standsBy } from '../test/relay-status.ts';
import { expire } from '../test/topic.ts';
import { until } from '../test/wait.ts';

describe('the relay, when its server is started anew,', () => {
  let bench: RelayBench = undefined as never;
  let restore: () => Promise<void> = undefined as never;
  before(async () => {
    bench = await RelayBench.start();
  });
  after(() => bench?.stop());

  const lastEpoch = () => (epochEnds(bench.users.records).at(-1)?.version ?? 0n) >> 48n;

  test('goes on where it was', async () => {
    const relay = await bench.startRelay();
    await reaches(relay, 'to stream', (status) => status.ready && !standsBy(status));
    await bench.insert(20, 'Kept');
    await bench.equal('before the backup');
    restore = await bench.whileHalted(() => bench.postgres.backup());
    await bench.insert(20, 'Lost');
    await bench.db.query(`UPDATE users SET phone = 'lost' WHERE first_name = 'Kept'`);
    await bench.equal('after the restart');
    assert.equal(lastEpoch(), 0n);
    assert.doesNotMatch(relay.output(), /HistoryChanged/);
  });

  test('notices that it was set back together with the slot, and sends all users again', async () => {
    await bench.whileHalted(restore);
    await bench.insert(200, 'Instead');
    await bench.equal('after the restore');
    assert.equal(lastEpoch(), 1n);
    assert.match(bench.relay.output(), /HistoryChanged/);
    const { rows } = await bench.db.query(`SELECT count(*)::int FROM users WHERE first_name = 'Lost'`);
    assert.equal(rows[0].count, 0);
  });

  test('sends all users again where the topic has expired, and nothing would tell that it was set back', async () => {
    restore = await bench.whileHalted(() => bench.postgres.backup());
    await bench.insert(20, 'Forgotten');
    await bench.db.query(`UPDATE users SET phone = 'forgotten' WHERE first_name = 'Kept'`);
    await bench.equal('before the records expire');
    await bench.whileHalted(async () => {
      await restore();
      await expire(bench.kafka.client, 'test.relay.users');
    });
    await bench.equal('after the second restore');
    assert.equal(lastEpoch(), 2n);
    assert.match(bench.relay.output(), /HistoryUnknown/);
  });

  test('tells that its topic was made anew under it', async () => {
    const admin = bench.kafka.client.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: ['test.relay.users'] });
    const topics = [{ topic: 'test.relay.users', numPartitions: 3, replicationFactor: 1 }];
    await admin.createTopics({ topics, waitForLeaders: true });
    await admin.disconnect();
    await bench.insert(20, 'In another log');
    await until('it to be told', () => /"LogReplaced"/.test(bench.relay.output()), 60_000);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SinkBench, user } from '../../test/sink.ts';
import { until } from '../../test/wait.ts';

const EPOCHS = [2n << 48n, 3n << 48n, 4n << 48n] as const;

/** What Kafka removed before it was read is told, and made up for. These tests come last: their epochs outrank all others. */
export function removedUnread(bench: () => SinkBench): void {
  const skipped = () => bench().spark.metric('userstream_spark_skipped_records_total');

  /** Waits until the job gives this reason, and answers all that it says with it. */
  const says = async (wanted: string) => {
    await until(
      `Spark to say ${wanted}`,
      async () => (await bench().spark.status()).reason === wanted,
      120_000,
    );
    return await bench().spark.status();
  };

  /** Sends an epoch whose snapshot has users with these emails; `meanwhile` is done before it ends. */
  const sendEpoch = async (version: bigint, emails: Record<string, string>, meanwhile = async () => {}) => {
    const start = await bench().endOffsets();
    const users = Object.entries(emails).map(([id, email]) => user({ id, email }));
    await bench().publish(users.map((each) => ({ user: each, version })));
    await meanwhile();
    await bench().send(bench().epochEnd(version, { start, end: await bench().endOffsets() }));
  };

  test('records that were removed unread are told until a whole epoch has come; one that lacks them removes nobody', async () => {
    const [kept, gone, mark] = [user({ email: 'kept' }), user({ email: 'gone' }), user({ email: 'mark' })];
    await bench().publish([kept, gone].map((each) => ({ user: each, version: EPOCHS[0] - 1n })));
    await bench().table.stands(kept);
    await bench().table.stands(gone);
    await bench().restart(undefined, async () => {
      await sendEpoch(EPOCHS[0], { [kept.id]: 'removed' }, () => bench().removeRecords());
      await bench().publish([{ user: mark, version: EPOCHS[0] }]);
    });
    await bench().table.stands(mark);
    const { ready, message } = await says('RecordsSkipped');
    assert.equal(ready, true);
    assert.match(message, /\d+ of partition [01] before offset \d+.* send all users again/);
    assert.ok((await skipped()) > 0);
    await bench().restart();
    await says('RecordsSkipped');
    await bench().readsToEnd();
    await bench().table.stands(kept);
    assert.ok((await skipped()) > 0, 'also in another process');
    await sendEpoch(EPOCHS[1], { [kept.id]: 'sent again', [mark.id]: 'mark' });
    await bench().table.isGone(gone.id);
    await bench().table.stands({ ...kept, email: 'sent again' });
    assert.equal((await says('Running')).message, '');
  });

  test('a topic that was made anew is read from its beginning, and told until an epoch has come', async () => {
    const first = user({ email: 'the first of another topic' });
    await bench().restart(undefined, async () => {
      await bench().makeTopicAnew();
      await bench().publish([{ user: first, version: EPOCHS[1] + 1n }]);
    });
    await bench().table.stands(first);
    assert.match((await says('RecordsSkipped')).message, /an unknown number of partition 0 before offset 0/);
    await bench().makeTopicAnew();
    const second = user({ email: 'while it was read' });
    await bench().publish([{ user: second, version: EPOCHS[1] + 2n }]);
    await bench().table.stands(second);
    await sendEpoch(EPOCHS[2], { [second.id]: 'sent again' });
    await bench().table.isGone(first.id);
    await says('Running');
  });
}

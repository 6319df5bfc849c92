import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SinkBench, user } from '../../test/sink.ts';
import { until } from '../../test/wait.ts';

/** A new epoch, and the stream once more. */
export function epochs(bench: () => SinkBench): void {
  test('a new epoch removes who is not in its snapshot, once every partition has been applied', async () => {
    const [kept, vanished, since] = [
      user({ email: 'kept' }),
      user({ email: 'vanished' }),
      user({ email: 'since' }),
    ];
    await bench().publish([
      { user: kept, version: 80n },
      { user: vanished, version: 81n },
    ]);
    await bench().table.stands(vanished);
    const epoch = 1n << 48n;
    const start = await bench().endOffsets();
    await bench().publish([{ user: kept, version: epoch }]);
    const end = await bench().endOffsets();
    await bench().publish([{ user: since, version: epoch + 1n }]);
    await bench().send(bench().epochEnd(epoch, { start, end }));
    await bench().table.isGone(vanished.id);
    await until(
      'the sweep to be counted',
      async () => (await bench().spark.metric('userstream_spark_swept_total')) > 0,
    );
    await bench().table.stands(kept);
    await bench().table.stands(since);
    await bench().publish([{ user: vanished, version: epoch + 2n }]);
    await bench().table.stands(vanished);
  });

  test('a replay brings back what was lost, and a restart does not repeat it', async () => {
    const lost = user({ email: 'lost' });
    const timeMs = Date.now();
    await bench().publish([{ user: lost, version: (1n << 48n) + 10n }]);
    await bench().table.stands(lost);
    await bench().table.truncate();
    await bench().restart({ timeMs });
    await bench().table.stands(lost);
    await bench().readsToEnd();
    await bench().table.truncate();
    await bench().restart({ offsets: { 9: 0 } });
    await bench().readsToEnd();
    const { ready, reason, message } = await bench().spark.status();
    assert.deepEqual([ready, reason], [true, 'ReplayRefused']);
    assert.match(message, /replay-from: there is no partition 9; the topic has 0 to 1/);
    await bench().table.isGone(lost.id);
  });
}

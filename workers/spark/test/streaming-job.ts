import { after, before, describe } from 'node:test';
import { SinkBench } from '../../test/sink.ts';

/** It leaves some out, makes much of others, and throws an error on a few. */
const SQL = `SELECT *, CASE WHEN username = 'large' THEN repeat(first_name, int(post_code)) END AS large,
    CASE WHEN username = 'odd' THEN int(to_number(post_code, '999')) END AS odd
  FROM users WHERE coalesce(nationality, '') <> 'XX'`;

/** Tests of one job that streams, among servers of its own. */
export function streamingJob(what: string, ...tests: ((bench: () => SinkBench) => void)[]): void {
  describe(`the streaming job ${what}`, { timeout: 900_000 }, () => {
    let bench: SinkBench = undefined as never;

    before(async () => {
      bench = await SinkBench.start({ sql: SQL });
      await bench.startSpark();
    });

    after(() => bench?.stop());

    for (const each of tests) each(() => bench);
  });
}

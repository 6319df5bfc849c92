import { until } from '../../until.ts';
import { faultless, lasting } from '../faultless.ts';
import type { Operator } from '../operator.ts';
import { isReady } from '../ready.ts';
import type { Run } from '../run.ts';
import { CREATED } from '../scenarios.ts';
import { LEAST } from '../specs.ts';
import type { Attempt, Kind } from '../suite.ts';
import { isWrite, type Sent } from '../tap.ts';

const KIND = 'two replicas';

/** Short, so that the other takes over soon. */
const LEASE_SECONDS = 3;

type Case = { write: number; how: 'killed' | 'frozen' };

async function two(run: Run): Promise<Operator> {
  const leader = run.startOperator();
  await until('the first operator leads', () => run.proxy.sent.some(({ query }) => query.has('watch')));
  run.startOperator();
  return leader;
}

/** Strikes the leader when the answer to a write has come, before it hears of it; answers whether it has. */
function strikeAt(run: Run, leader: Operator, { write, how }: Case, harmed: () => void): () => boolean {
  let struck = false;
  run.proxy.tap = {
    response(sent) {
      if (struck || sent.write !== write || sent.by !== leader.name) return undefined;
      struck = true;
      harmed();
      leader.signal(how === 'killed' ? 'SIGKILL' : 'SIGSTOP');
      return undefined;
    },
  };
  return () => struck;
}

/** Whether a request took the Lease, or kept it. */
function leads({ method, path, code = 0 }: Sent): boolean {
  return method !== 'GET' && path.includes('/leases') && code >= 200 && code < 300;
}

/** Thaws the leader once another leads, and says what it began to write after that. */
async function thaw(run: Run, leader: Operator): Promise<string[]> {
  const other = () => run.proxy.sent.some((sent) => sent.by !== leader.name && leads(sent));
  await until('another leads', other, { ms: 60_000 });
  const thawed = performance.now();
  leader.signal('SIGCONT');
  await until('the one that led ends', () => leader.exitCode !== undefined);
  const begun = run.proxy.sent.filter((sent) => sent.by === leader.name && sent.at > thawed && isWrite(sent));
  return begun.map(({ method, path }) => `the stale leader began ${method} ${path}`);
}

async function taken({ run, harmed, same }: Attempt, each: Case): Promise<void> {
  const leader = await two(run);
  const struck = strikeAt(run, leader, each, harmed);
  await run.apply(LEAST);
  await until('the write has come, or all is done', async () => struck() || isReady(await run.pipeline()), {
    ms: run.limitMs,
  });
  if (struck() && each.how === 'frozen') same(await thaw(run, leader));
  await run.ready();
}

/** The leader is killed, or frozen past its Lease and thawed: the other goes on, and the stale one begins no write. */
export const replicas: Kind = {
  name: KIND,
  async run(suite, random) {
    const { reference, writes } = await faultless(suite, CREATED);
    const cases = Array.from({ length: writes }, (_, index) => index + 1).flatMap((write) =>
      (['killed', 'frozen'] as const).map((how): Case => ({ write, how })),
    );
    await Promise.all(
      suite.choose(random, cases, 2).map((each) =>
        suite.attempt(
          KIND,
          `the leader ${each.how} at write ${each.write}`,
          async (attempt) => {
            await taken(attempt, each);
            attempt.same(await lasting(attempt.run, reference));
          },
          LEASE_SECONDS,
        ),
      ),
    );
  },
};

import { setTimeout as sleep } from 'node:timers/promises';
import { isWrite } from '../proxy.ts';
import { apply, play, type Step } from '../scenarios.ts';
import type { Kind } from '../suite.ts';

const KIND = 'quiet';

const WATCHED_MS = 60_000;

const states: { name: string; steps: Step[] }[] = [
  { name: 'a running pipeline', steps: [apply('create')] },
  { name: 'a suspended pipeline', steps: [apply('create'), apply('suspend', { suspend: true })] },
  {
    name: 'a changed pipeline',
    steps: [apply('create'), apply('change', { spark: { sql: 'SELECT id FROM users' } })],
  },
];

/** A minute after all is done, nothing has been written, and the status is the very same. */
export const quiet: Kind = {
  name: KIND,
  async run(suite, random) {
    const cases = suite.choose(random, states, 1).map(({ name, steps }) =>
      suite.attempt(KIND, name, async ({ run, same }) => {
        run.startOperator();
        await play(run, steps);
        const before = await run.pipeline();
        const began = run.proxy.sent.length;
        await sleep(WATCHED_MS);
        const written = run.proxy.sent.slice(began).filter(isWrite);
        const after = await run.pipeline();
        const version = (object: typeof before) => object?.metadata.resourceVersion;
        same([
          ...written.map(({ method, path, body }) => `${method} ${path} was written: ${body.slice(0, 300)}`),
          ...(version(before) === version(after) ? [] : ['the resource has another resourceVersion']),
        ]);
      }),
    );
    await Promise.all(cases);
  },
};

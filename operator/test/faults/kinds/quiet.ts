import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineObject } from '../ready.ts';
import { apply, play, type Step } from '../scenarios.ts';
import type { Attempt, Kind } from '../suite.ts';
import { isWrite } from '../tap.ts';

const KIND = 'quiet';

const WATCHED_MS = 60_000;

const states: { name: string; steps: Step[] }[] = [
  { name: 'a running pipeline', steps: [apply('create')] },
  { name: 'a suspended pipeline', steps: [apply('create', { suspend: true })] },
  {
    name: 'a changed pipeline',
    steps: [apply('create'), apply('change', { spark: { sql: 'SELECT id FROM users' } })],
  },
];

/** What of the resource is the operator's own to write. */
function told(pipeline: PipelineObject | undefined): string {
  return JSON.stringify([pipeline?.status, pipeline?.metadata.generation, pipeline?.metadata.finalizers]);
}

/** Watches for a minute; in the middle of it somebody touches the resource without changing its spec. */
async function minute({ run, harmed, same }: Attempt): Promise<void> {
  const before = await run.pipeline();
  const began = run.proxy.sent.length;
  await sleep(WATCHED_MS / 2);
  const middle = await run.pipeline();
  await run.world.client.mergePatch(run.pipelineRef, { metadata: { annotations: { touched: 'yes' } } });
  harmed();
  await sleep(WATCHED_MS / 2);
  const written = run.proxy.sent.slice(began).filter(isWrite);
  const version = (pipeline: PipelineObject | undefined) => pipeline?.metadata.resourceVersion;
  same([
    ...written.map(({ method, path, body }) => `${method} ${path} was written: ${body.slice(0, 300)}`),
    ...(version(before) === version(middle) ? [] : ['the resource has another resourceVersion']),
    ...(told(before) === told(await run.pipeline()) ? [] : ['the status has changed']),
  ]);
}

/** A minute after all is done, nothing has been written, and the status is the very same. */
export const quiet: Kind = {
  name: KIND,
  async run(suite, random) {
    const cases = suite.choose(random, states, 1).map(({ name, steps }) =>
      suite.attempt(KIND, name, async (attempt) => {
        attempt.run.startOperator();
        await play(attempt.run, steps);
        await minute(attempt);
      }),
    );
    await Promise.all(cases);
  },
};

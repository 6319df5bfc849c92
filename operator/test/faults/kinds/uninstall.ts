import { GROUP } from '../../../src/api/pipeline.ts';
import { PLURAL } from '../../../src/crd/definition.ts';
import { until } from '../../until.ts';
import type { Run } from '../run.ts';
import { apply, play } from '../scenarios.ts';
import type { Attempt, Kind } from '../suite.ts';
import { serve } from '../world.ts';

const KIND = 'uninstall in every order';

type Part = 'resource' | 'operator' | 'CRD' | 'namespace';

const PARTS: Part[] = ['resource', 'operator', 'CRD', 'namespace'];

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: `${PLURAL}.${GROUP}`,
};

/** What the documentation promises: a teardown is given up after five minutes. */
const LIMIT_MS = 5 * 60_000 + 30_000;

function orders<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item) =>
    orders(items.filter((each) => each !== item)).map((rest) => [item, ...rest]),
  );
}

function namespaceRef(run: Run) {
  return { apiVersion: 'v1', kind: 'Namespace', name: run.namespace };
}

async function uninstall(run: Run, part: Part): Promise<void> {
  const { client } = run.world;
  if (part === 'operator') {
    run.restarts = false;
    run.operator.signal('SIGTERM');
    await run.operator.exited;
  } else if (part === 'CRD') await client.delete(CRD);
  else if (part === 'namespace') await client.delete(namespaceRef(run));
  else await run.delete().catch(() => {});
}

/** The way out that is documented for a resource whose operator is gone. */
async function letGo(run: Run): Promise<void> {
  const pipeline = await run.pipeline().catch(() => undefined);
  if (pipeline) await run.world.client.mergePatch(run.pipelineRef, { metadata: { finalizers: null } });
}

function untilNothingIsLeft(run: Run): Promise<void> {
  const { client } = run.world;
  const gone = async () => !(await client.get(namespaceRef(run))) && !(await client.get(CRD));
  return until('nothing is left', gone, { ms: LIMIT_MS });
}

async function uninstalled({ run, harmed }: Attempt, order: Part[]): Promise<void> {
  run.startOperator();
  await play(run, [apply('create')]);
  for (const part of order) {
    if (part === order.at(-1) && part === 'operator') await untilNothingIsLeft(run);
    await uninstall(run, part);
    harmed();
  }
  // Without its operator a resource waits for whoever takes its finalizer away, as the documentation says.
  await letGo(run);
  await untilNothingIsLeft(run);
}

/** Resource, operator, CRD and namespace go in every order: nothing hangs. One run at a time, for all share the CRD. */
export const uninstalling: Kind = {
  name: KIND,
  async run(suite, random) {
    for (const order of suite.choose(random, orders(PARTS), 1)) {
      await suite.attempt(KIND, order.join(', '), (attempt) => uninstalled(attempt, order));
      await until('the definition is gone', async () => !(await suite.world.client.get(CRD)), {
        ms: LIMIT_MS,
      });
      await serve(suite.world.client);
    }
  },
};

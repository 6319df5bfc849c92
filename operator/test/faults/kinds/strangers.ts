import type { KubeObject } from '../../../src/kube/object.ts';
import type { Run } from '../run.ts';
import { apply, CREATED, play } from '../scenarios.ts';
import type { Attempt } from '../suite.ts';

/** Something comes between the operator's look at an object and what it does to it. */
export type Intrusion = { name: string; play(attempt: Attempt): Promise<void> };

/** Fails unless the stranger's object is as the stranger made it. */
async function untouched(run: Run, made: KubeObject): Promise<string[]> {
  const now = await run.world.client.get(run.ref(made.apiVersion, made.kind, made.metadata.name));
  if (now?.metadata.uid !== made.metadata.uid)
    return [`${made.kind} ${made.metadata.name} of a stranger is gone`];
  const same = JSON.stringify(now?.['data']) === JSON.stringify(made['data']);
  return same && !now?.metadata.ownerReferences
    ? []
    : [`${made.kind} ${made.metadata.name} of a stranger was changed`];
}

/** Does something on the way of the first request of a method to a path that ends so, before it goes on. */
function ambush(run: Run, method: string, path: RegExp, intrude: (name: string) => Promise<void>): void {
  let done = false;
  run.proxy.tap = {
    async request(sent) {
      const name = path.exec(sent.path)?.[1];
      if (done || sent.method !== method || !name) return undefined;
      done = true;
      await intrude(name);
      return undefined;
    },
  };
}

async function takenName({ run, harmed, same }: Attempt): Promise<void> {
  const { client } = run.world;
  let made: KubeObject | undefined;
  ambush(run, 'PATCH', /configmaps\/(users-ingest)$/, async (name) => {
    const metadata = { name, namespace: run.namespace };
    made = await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { theirs: 'yes' } });
    harmed();
  });
  run.startOperator();
  await CREATED.steps[0]?.do(run);
  await run.settled('the status names what stands in the way', async () => {
    const conditions = (await run.pipeline())?.status?.conditions ?? [];
    return conditions.some(
      ({ status, message }) => status === 'False' && /ConfigMap users-ingest/.test(message),
    );
  });
  same(made ? await untouched(run, made) : ['no stranger came']);
}

async function replacedObject({ run, harmed, same }: Attempt): Promise<void> {
  const { client } = run.world;
  const JOB = { apiVersion: 'batch/v1', kind: 'Job' };
  let made: KubeObject | undefined;
  run.startOperator();
  await play(run, CREATED.steps);
  ambush(run, 'DELETE', /jobs\/(users-provision-[^/]+)$/, async (name) => {
    const live = await client.get(run.ref(JOB.apiVersion, JOB.kind, name));
    await client.delete(run.ref(JOB.apiVersion, JOB.kind, name));
    made = await client.create(successor(run, name, live));
    harmed();
  });
  await play(run, [apply('change', { kafka: { topic: { retention: '24h' } } })]);
  same(made ? await untouched(run, made) : ['nothing was deleted']);
}

/** A Job of the same name and template that is nobody's. */
function successor(run: Run, name: string, live: KubeObject | undefined): KubeObject {
  if (!live) throw new Error(`there is no Job ${name}`);
  const { template } = live['spec'] as { template: { spec: object } };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: run.namespace },
    spec: { template: { spec: template.spec } },
  };
}

export const INTRUSIONS: Intrusion[] = [
  { name: "a stranger's object under a name that looked free", play: takenName },
  { name: "a stranger's object in the place of one to be deleted", play: replacedObject },
];

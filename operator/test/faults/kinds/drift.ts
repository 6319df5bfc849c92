import type { KubeObject } from '../../../src/kube/object.ts';
import { refOf } from '../../../src/kube/object.ts';
import { UPKEEP_ANNOTATION } from '../../../src/reconcile/cassandra/upkeep.ts';
import { faultless } from '../faultless.ts';
import type { Reference } from '../reference.ts';
import type { Run } from '../run.ts';
import { CREATED, play } from '../scenarios.ts';
import { withoutHistory } from '../state.ts';
import type { Attempt, Kind } from '../suite.ts';

const KIND = 'drift';

type Patch = Record<string, unknown>;

/** What an edit does to an object of a kind, beside the label of every one: to fields that the operator set. */
const EDITS: Record<string, Patch> = {
  Secret: { data: { username: Buffer.from('edited').toString('base64') } },
  Service: { spec: { selector: { 'app.kubernetes.io/instance': 'edited' } } },
  StatefulSet: { spec: { replicas: 0 } },
  Deployment: { spec: { replicas: 0 } },
  Role: { rules: [] },
  RoleBinding: { subjects: [] },
  ServiceAccount: { automountServiceAccountToken: true },
};

const LABEL: Patch = { labels: { 'app.kubernetes.io/part-of': 'edited' } };

type How = 'edited' | 'deleted';
type Case = { kind: string; index: number; how: How; operator: 'up' | 'down' };

const [EDITED, BOTH]: [How[], How[]] = [['edited'], ['edited', 'deleted']];

/** With it goes what is known of a ring, which is then filled: nodes without processes can't (cassandra.integration.test.ts). */
function keepsUpkeep({ annotations = {} }: KubeObject['metadata']): boolean {
  return UPKEEP_ANNOTATION in annotations;
}

/** What the operator itself wrote for the pipeline, for nobody else applies, in an order that is the same in every run. */
function written(objects: KubeObject[]): KubeObject[] {
  const applied = objects.filter(
    ({ kind, metadata }) =>
      kind !== 'UserStreamPipeline' && metadata.managedFields?.some(({ operation }) => operation === 'Apply'),
  );
  return applied.sort((a, b) => (`${a.kind}/${a.metadata.name}` < `${b.kind}/${b.metadata.name}` ? -1 : 1));
}

async function stand(run: Run): Promise<void> {
  run.startOperator();
  await play(run, CREATED.steps);
}

/** Every text of a ConfigMap is overwritten; what else it may be given isn't the operator's. */
function edit({ kind, ...object }: KubeObject): Patch {
  const data = (object['data'] ?? {}) as Record<string, string>;
  const texts = Object.fromEntries(Object.keys(data).map((name) => [name, 'edited']));
  const own = kind === 'ConfigMap' ? { data: texts } : EDITS[kind];
  return { ...own, metadata: LABEL };
}

/** Does what the case says; answers the object that it was done to. */
async function disturb(run: Run, { index, how }: Case): Promise<KubeObject> {
  const object = written(await run.objects())[index];
  if (!object) throw new Error(`the run has no object ${index}`);
  if (how === 'deleted') await run.world.client.delete(refOf(object));
  else await run.world.client.mergePatch(refOf(object), edit(object));
  return object;
}

/** Which claims hold the data, and which passwords open it. */
async function data(run: Run): Promise<Map<string, string>> {
  const objects = await run.objects();
  const claims = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
  const secrets = objects.filter(({ kind }) => kind === 'Secret');
  return new Map([
    ...claims.map(({ metadata }): [string, string] => [`claim ${metadata.name}`, metadata.uid ?? '']),
    ...secrets.map((each): [string, string] => [
      `Secret ${each.metadata.name}`,
      JSON.stringify(each['data']),
    ]),
  ]);
}

async function repaired({ run, harmed, same }: Attempt, each: Case, reference: Reference): Promise<void> {
  await stand(run);
  run.limitMs = 45_000;
  const before = await data(run);
  if (each.operator === 'down') await run.stopOperator();
  const { kind, metadata } = await disturb(run, each);
  harmed();
  if (each.operator === 'down') run.startOperator();
  const differences = async () => reference.differences(withoutHistory(await run.state()));
  const undone = run.settled('the edit is undone', async () => (await differences()).length === 0);
  await undone.catch(async () => same(await differences()));
  // Passwords that somebody deleted are gone; others are made.
  if (each.how === 'deleted') before.delete(`${kind} ${metadata.name}`);
  const after = await data(run);
  same([...before].filter(([name, held]) => after.get(name) !== held).map(([name]) => `${name} is another`));
}

/** Whatever of a pipeline is edited or deleted comes back as it was, whether the operator sees it or starts afterwards. */
export const drift: Kind = {
  name: KIND,
  async run(suite, random) {
    const { end, states } = await faultless(suite, CREATED);
    const objects = written(states[0]?.objects ?? []);
    const cases = objects.flatMap(({ kind, metadata }, index) =>
      (keepsUpkeep(metadata) ? EDITED : BOTH).flatMap((how) =>
        (['up', 'down'] as const).map((operator): Case => ({ kind, index, how, operator })),
      ),
    );
    await Promise.all(
      suite.choose(random, cases, 2).map((each) => {
        const name = `${objects[each.index]?.kind}/${objects[each.index]?.metadata.name} ${each.how}, operator ${each.operator}`;
        return suite.attempt(KIND, name, (attempt) => repaired(attempt, each, end));
      }),
    );
  },
};

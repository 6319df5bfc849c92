import type { KubeObject } from '../../../src/kube/object.ts';
import { refOf } from '../../../src/kube/object.ts';
import { faultless, lasting } from '../faultless.ts';
import type { Reference } from '../reference.ts';
import type { Run } from '../run.ts';
import { play } from '../scenarios.ts';
import type { State } from '../state.ts';
import type { Attempt, Kind } from '../suite.ts';
import { edit, type How, isLeft, isLost, isPlayable, LABEL, TARGETS, type Target } from './disturbances.ts';

const KIND = 'drift';

/** A look at a pipeline is over by then. */
const LOOK_MS = 1_000;

type Case = Target & { index: number; how: How; operator: 'up' | 'down' };

/** Does what the case says; answers the object that it was done to. */
async function disturb(run: Run, { of, index, how }: Case): Promise<KubeObject> {
  const object = of(await run.objects())[index];
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

/** Fails unless all comes to be as it was. */
async function undone({ run, same }: Attempt, reference: Reference): Promise<void> {
  same(await lasting(run, reference, run.limitMs));
}

/** Fails unless the edit, and all else, stays as it is once the operator has looked. */
async function left({ run, same }: Attempt, reference: Reference, object: KubeObject, at: number) {
  const looked = () =>
    run.proxy.sent.some((sent) => {
      const isLook = sent.at > at && sent.path.endsWith(`/${run.pipelineRef.name}`);
      return isLook && performance.now() - sent.at > LOOK_MS;
    });
  await run.settled('the operator has looked', async () => looked());
  const differences = (state: State) =>
    reference.differences(state).filter((line) => !line.includes(`${LABEL} is "edited"`));
  const lasts = await lasting(run, { differences });
  const { labels } = (await run.world.client.get(refOf(object)))?.metadata ?? {};
  same([
    ...lasts,
    ...(labels?.[LABEL] === 'edited' ? [] : [`the label of ${object.metadata.name} was changed`]),
  ]);
}

/** Puts the ring's password back, as its user would from a backup, once the status says that it is gone. */
async function putBack(run: Run, { metadata, ...secret }: KubeObject): Promise<void> {
  await run.says(/Secret .* is gone: put the Secret back/);
  const { name, namespace = '', labels = {} } = metadata;
  await run.world.client.apply(
    { ...secret, metadata: { name, namespace, labels } },
    { fieldManager: 'user' },
  );
}

async function disturbed(attempt: Attempt, each: Case, reference: Reference): Promise<void> {
  const { run, harmed, same } = attempt;
  run.startOperator();
  await play(run, each.scenario.steps);
  run.limitMs = 45_000;
  const before = await data(run);
  if (each.operator === 'down') await run.stopOperator();
  const at = performance.now();
  const object = await disturb(run, each);
  harmed();
  if (each.operator === 'down') run.startOperator();
  if (isLost(object, each.how)) await putBack(run, object);
  if (isLeft(object, each.how)) await left(attempt, reference, object, at);
  else await undone(attempt, reference);
  // A password that somebody deleted is gone; another is made.
  if (each.how === 'deleted' && !isLost(object, each.how))
    before.delete(`${object.kind} ${object.metadata.name}`);
  const after = await data(run);
  same([...before].filter(([name, held]) => after.get(name) !== held).map(([name]) => `${name} is another`));
}

/** What is done to the objects of a target, each by its name. */
function casesOf(target: Target, objects: KubeObject[]): { name: string; each: Case }[] {
  return target.of(objects).flatMap((object, index) =>
    target.hows
      .filter((how) => isPlayable(object, how))
      .flatMap((how) =>
        (['up', 'down'] as const).map((operator) => ({
          name: `${object.kind}/${object.metadata.name} ${how}, operator ${operator}`,
          each: { ...target, index, how, operator },
        })),
      ),
  );
}

/**
 * Whatever of a pipeline is edited or deleted comes back as it was, whether the operator sees it or starts afterwards; what
 * isn't the operator's to write stays as it was edited.
 */
export const drift: Kind = {
  name: KIND,
  async run(suite, random) {
    const targets = suite.choose(random, TARGETS, 1).map(async (target) => {
      const { end, states } = await faultless(suite, target.scenario);
      const cases = suite.choose(random, casesOf(target, states[0]?.objects ?? []), 2);
      const played = cases.map(({ name, each }) =>
        suite.attempt(KIND, name, (attempt) => disturbed(attempt, each, end)),
      );
      await Promise.all(played);
    });
    await Promise.all(targets);
  },
};

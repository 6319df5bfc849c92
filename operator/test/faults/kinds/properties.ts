import { customResourceDefinition } from '../../../src/crd/definition.ts';
import type { JsonSchema } from '../../../src/crd/structural.ts';
import { isInvalid } from '../../../src/kube/errors.ts';
import { until } from '../../until.ts';
import type { PipelineObject } from '../ready.ts';
import type { Run } from '../run.ts';
import { BASES, SECRETS } from '../specs.ts';
import type { Attempt, Kind } from '../suite.ts';
import { coverage, type Outcome, refusal, type Tried } from './coverage.ts';
import {
  isLeaf,
  type Mutation,
  mutated,
  mutations,
  type Property,
  properties,
  valueAt,
} from './mutations.ts';

const KIND = 'every property';

const APPLIED = 'userstream.dev/applied';

const LIMIT_MS = 30_000;

const WAY_BACK_MS = 15_000;

/** So many properties go one after another in one run; in a run of a sample, so many. */
const CHUNK = 6;
const SAMPLE = 2;

/** What the operator itself goes by, and puts into no object: its own tests show the effect. */
const OPERATORS_OWN = new Set(['cassandra.managed.repair.interval']);

type Spec = Record<string, unknown>;
type Told = { tried: Tried[]; failures: string[] };

/** What the operator last applied, object by object. */
async function applied(run: Run): Promise<string> {
  const objects = await run.objects();
  return objects
    .filter(({ metadata }) => metadata.annotations?.[APPLIED])
    .map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.annotations?.[APPLIED]}`)
    .sort()
    .join('\n');
}

/** The API server's answer to the mutated spec: its refusal in words, or the resource that it stored. */
async function asked(run: Run, spec: Spec): Promise<string | PipelineObject | undefined> {
  try {
    await run.apply(spec);
    return await run.pipeline();
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return (error as Error).message;
  }
}

function saysWhyNot(pipeline: PipelineObject | undefined): boolean {
  const generation = pipeline?.metadata.generation;
  return (pipeline?.status?.conditions ?? []).some(
    ({ type, status, message, observedGeneration }) =>
      type === 'Stalled' && status === 'True' && message !== '' && observedGeneration === generation,
  );
}

/** What becomes of one mutation of a spec that stands. @throws where nothing does */
async function tried(run: Run, spec: Spec, mutation: Mutation): Promise<Outcome> {
  const before = await applied(run);
  const generation = (await run.pipeline())?.metadata.generation;
  const answer = await asked(run, mutated(spec, mutation));
  if (typeof answer === 'string') {
    if (!answer.includes(mutation.path[0] ?? ''))
      throw new Error(`the refusal doesn't name the field: ${answer}`);
    return refusal(answer);
  }
  if (answer?.metadata.generation === generation) return 'the same';
  if (OPERATORS_OWN.has(mutation.path.join('.'))) return 'read';
  let stuck = false;
  await until(
    'a child object changes, or the status says why not',
    async () => {
      stuck = saysWhyNot(await run.pipeline());
      return stuck || (await applied(run)) !== before;
    },
    { ms: LIMIT_MS },
  );
  return stuck ? 'stuck' : 'reached';
}

/** Makes the pipeline be as in `spec`: anew where there is no way back, or none without processes in Cassandra's pods. */
async function putBack(run: Run, spec: Spec): Promise<void> {
  if (typeof (await asked(run, spec)) !== 'string') {
    const back = await run.ready(WAY_BACK_MS).then(
      () => true,
      () => false,
    );
    if (back) return;
  }
  await run.delete();
  await run.gone();
  await run.removeClaims();
  await run.apply(spec);
  await run.ready();
}

/** After these the pipeline stands as before. */
const UNCHANGED: Outcome[] = ['refused', 'forbidden', 'the same'];

/** Tries all mutations of a property, one after another, from the same state each. */
async function tryProperty({ run, harmed }: Attempt, spec: Spec, property: Property): Promise<Told> {
  const { spec: stored = {} } = (await run.pipeline()) ?? {};
  const told: Told = { tried: [], failures: [] };
  for (const mutation of mutations(property, valueAt(stored, property.path))) {
    harmed();
    try {
      const outcome = await tried(run, spec, mutation);
      told.tried.push({ how: mutation.how, outcome });
      if (!UNCHANGED.includes(outcome)) await putBack(run, spec);
    } catch (error) {
      const value = JSON.stringify(mutation.value)?.slice(0, 80);
      told.failures.push(`${property.path.join('.')} ${mutation.how}, ${value}: ${(error as Error).message}`);
      await putBack(run, spec);
    }
  }
  return told;
}

async function tryAll(attempt: Attempt, spec: Spec, chunk: Property[]): Promise<[string, Tried[]][]> {
  const { run, same } = attempt;
  for (const name of SECRETS) await run.makeSecret(name);
  run.startOperator();
  await run.apply(spec);
  await run.ready();
  const found: { property: Property; told: Told }[] = [];
  for (const property of chunk) found.push({ property, told: await tryProperty(attempt, spec, property) });
  same(found.flatMap(({ told }) => told.failures));
  return found.map(({ property, told }) => [property.path.join('.'), told.tried]);
}

/** Whether a base has a property in it, or could have: where its unions take the side of the base. */
function isReachable(base: Spec, { path }: Property): boolean {
  const side = path.findIndex((name) => ['managed', 'external', 'strimzi'].includes(name));
  if (side < 0) return true;
  const [component = '', choice = ''] = [path[side - 1], path[side]];
  const given = base[component] as Spec | undefined;
  return given ? choice in given : choice === 'managed';
}

/** The base by which a property is tried: one that gives it a value, else one that could. */
function baseOf(property: Property): string | undefined {
  const bases = Object.entries(BASES);
  const gives = bases.find(([, base]) => valueAt(base, property.path) !== undefined);
  return (gives ?? bases.find(([, base]) => isReachable(base, property)))?.[0];
}

function chunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** Each property by one base that has it. */
function plan(all: Property[], size: number): { base: string; chunk: Property[] }[] {
  const groups = [...Map.groupBy(all, baseOf)];
  return groups.flatMap(([base = '', own]) => chunks(own, size).map((chunk) => ({ base, chunk })));
}

/** Each property is changed, taken away, emptied and driven to its bounds: what is taken reaches an object, else it is said why not. */
export const everyProperty: Kind = {
  name: KIND,
  async run(suite, random) {
    const root = customResourceDefinition().spec.versions[0]?.schema.openAPIV3Schema as JsonSchema;
    const all = properties((root['properties'] as Record<string, JsonSchema>)['spec'] ?? {});
    const chosen = suite.choose(random, plan(all, suite.sampled ? SAMPLE : CHUNK), 1);
    const found = chosen.map(({ base, chunk }) => {
      const name = `${chunk[0]?.path.join('.')} and ${chunk.length - 1} more (${base})`;
      return suite.attempt(KIND, name, (attempt) => tryAll(attempt, BASES[base] ?? {}, chunk));
    });
    const tried = (await Promise.all(found)).flatMap((each) => each ?? []);
    const leaves = all.filter(isLeaf).map(({ path }) => path.join('.'));
    suite.note(coverage(leaves, new Map(tried)));
  },
};

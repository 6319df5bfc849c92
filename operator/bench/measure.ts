import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineStatus } from '../src/api/status.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { PIPELINES } from '../src/reconcile/followed.ts';
import { until } from '../test/until.ts';
import { applyBare, applyPipelines, completeJobs, deleteWorkloads, type Sample } from './load.ts';
import { type Memory, Operator } from './operator.ts';
import type { World } from './world.ts';

/** What was measured with so many pipelines. */
export type Figures = {
  pipelines: number;
  /** Objects that the operator makes for a pipeline. */
  objects: number;
  /** In which the operator wrote all its objects, and in which a loop did that does nothing else. */
  writeSeconds: number;
  bareSeconds: number;
  /** From the controllers' first move to all pipelines' being ready. */
  convergedSeconds: number;
  /** The operator's writes a pipeline, from the first to the quiet. */
  writes: { created: number; changed: number; refused: number; events: number };
  /** Memory without a pipeline, and with all of them. */
  base: Memory;
  full: Memory;
  idle: { seconds: number; requestsAMinute: number; cpuPercent: number };
};

/** To ask the operator how far it is costs it a little, too. */
const LOOK_MS = 200;
/** So long that a good part of many pipelines' turns falls into it. */
const IDLE_SECONDS = { few: 30, many: 120 };
const MANY = 500;
const QUIET_SECONDS = 10;
const LIMIT_MS = 900_000;

const REQUESTS = 'rest_client_requests_total';
const CREATED = /code="201",method="PATCH"/;
const CHANGED = /code="200",method="PATCH"/;
const REFUSED = /code="409"/;
const EVENTS = /method="POST"/;
const WRITES = /method="(?:PATCH|POST|DELETE)"/;

/** Measures an operator of its own, from the first pipeline to the quiet after the last. */
export async function measure(world: World, count: number, sample: Sample): Promise<Figures> {
  const [namespace, bare] = [`of-${count}`, `bare-${count}`];
  await world.makeNamespace(namespace);
  await world.makeNamespace(bare);
  const bareSeconds = await applyBare(world, sample, bare, count);
  await deleteWorkloads(world, bare);
  const operator = await Operator.start(world.api, world.directory, namespace);
  await untilQuiet(operator);
  const base = await operator.memory();
  const writeSeconds = await writeAll(world, operator, namespace, count, sample);
  const began = performance.now();
  const stopMachines = await world.startMachines();
  await untilReady(world, namespace, count);
  const convergedSeconds = (performance.now() - began) / 1000;
  await untilQuiet(operator);
  const writes = await writesOf(operator, count);
  const full = await operator.memory();
  const idle = await idleOf(operator, count < MANY ? IDLE_SECONDS.few : IDLE_SECONDS.many);
  await operator.stop();
  await stopMachines();
  const objects = sample.parts.flat().length;
  return {
    pipelines: count,
    objects,
    writeSeconds,
    bareSeconds,
    convergedSeconds,
    writes,
    base,
    full,
    idle,
  };
}

/** Applies the pipelines at once, and opens their gate at once: answers the seconds that the operator wrote. */
async function writeAll(
  world: World,
  operator: Operator,
  namespace: string,
  count: number,
  { parts: [first, second] }: Sample,
): Promise<number> {
  const written = async (objects: number) => {
    const began = performance.now();
    const all = async () => {
      await sleep(LOOK_MS);
      return (await operator.metric(REQUESTS, CREATED)) >= objects * count;
    };
    await until(`${objects * count} objects are written`, all, { ms: LIMIT_MS });
    return (performance.now() - began) / 1000;
  };
  await operator.frozen(() => applyPipelines(world, namespace, count));
  const firstSeconds = await written(first.length);
  await operator.frozen(() => completeJobs(world, namespace));
  return firstSeconds + (await written(first.length + second.length));
}

/** Looks once a second: what it looks at is large. */
async function untilReady({ api }: World, namespace: string, count: number): Promise<void> {
  type Pipeline = KubeObject & { status?: PipelineStatus };
  const isReady = ({ status }: Pipeline) =>
    status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
  const allReady = async () => {
    await sleep(1_000);
    const { items } = await api.adminClient.list<Pipeline>(PIPELINES, { namespace });
    return items.filter(isReady).length === count;
  };
  await until(`${count} pipelines are ready`, allReady, { ms: LIMIT_MS });
}

/** Waits until the operator has written nothing for a while. */
async function untilQuiet(operator: Operator): Promise<void> {
  const quiet = async () => {
    const before = await operator.metric(REQUESTS, WRITES);
    await sleep(QUIET_SECONDS * 1000);
    return (await operator.metric(REQUESTS, WRITES)) === before;
  };
  await until('the operator is quiet', quiet, { ms: LIMIT_MS });
}

async function writesOf(operator: Operator, count: number): Promise<Figures['writes']> {
  const each = async (labels: RegExp) => (await operator.metric(REQUESTS, labels)) / count;
  return {
    created: await each(CREATED),
    changed: await each(CHANGED),
    refused: await each(REFUSED),
    events: await each(EVENTS),
  };
}

async function idleOf(operator: Operator, seconds: number): Promise<Figures['idle']> {
  const now = async () => ({
    requests: await operator.metric(REQUESTS),
    cpu: await operator.metric('process_cpu_seconds_total'),
  });
  const before = await now();
  await sleep(seconds * 1000);
  const after = await now();
  return {
    seconds,
    requestsAMinute: ((after.requests - before.requests) / seconds) * 60,
    cpuPercent: ((after.cpu - before.cpu) / seconds) * 100,
  };
}

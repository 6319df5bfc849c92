import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineStatus } from '../src/api/status.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { PIPELINES } from '../src/reconcile/followed.ts';
import { until } from '../test/until.ts';
import {
  applyBare,
  applyPipelines,
  completeJobs,
  deleteWorkloads,
  type Sample,
  touchPipelines,
  writeBare,
} from './load.ts';
import { type Memory, Operator } from './operator.ts';
import { type Time, timed } from './time.ts';
import type { World } from './world.ts';

/** What was measured with so many pipelines. */
export type Figures = {
  pipelines: number;
  /** Objects that the operator makes for a pipeline. */
  objects: number;
  /** In which the operator wrote all its objects. */
  written: Time;
  /** In which a loop that does nothing else wrote those of so many pipelines. */
  looped: number;
  bare: Time;
  /** In which that loop wrote the finalizers and statuses that the operator writes meanwhile, and how many a pipeline. */
  bareStatuses: Time;
  statuses: number;
  /** From the controllers' first move to all pipelines' being ready. */
  convergedSeconds: number;
  /** The operator's writes a pipeline, from the first to the quiet. */
  writes: { created: number; changed: number; refused: number; events: number };
  /** Memory without a pipeline, and with all of them. */
  base: Memory;
  full: Memory;
  idle: { seconds: number; requestsAMinute: number; cpuPercent: number };
  /** What a look at a pipeline costs where nothing has changed. */
  look: { requests: number; cpuSeconds: number };
};

/** To ask the operator how far it is costs it a little, too. */
const LOOK_MS = 200;
const IDLE_SECONDS = 60;
/** A loop writes so many pipelines at most; its rate shows with them. */
const MOST_LOOPED = 1_000;
/** So many pipelines are looked for once a second, more of them the more seldom: the answer is large. */
const LOOKED_FOR = 200;
const QUIET_SECONDS = 10;
const LIMIT_MS = 900_000;

const REQUESTS = 'rest_client_requests_total';
const CREATED = /code="201",method="PATCH"/;
const CHANGED = /code="200",method="PATCH"/;
const REFUSED = /code="409"/;
const EVENTS = /method="POST"/;
const RECONCILES = 'controller_runtime_reconcile_total';
const WRITES = /method="(?:PATCH|POST|DELETE)"/;

/** Measures an operator of its own, from the first pipeline to the quiet after the last. */
export async function measure(world: World, count: number, sample: Sample): Promise<Figures> {
  const [namespace, bare] = [`of-${count}`, `bare-${count}`];
  await world.makeNamespace(namespace);
  await world.makeNamespace(bare);
  const looped = Math.min(count, MOST_LOOPED);
  const bareTime = await applyBare(world, sample, bare, looped);
  const bareStatuses = await writeBare(world, sample, bare, looped);
  await deleteWorkloads(world, bare);
  const operator = await Operator.start(world.api, world.directory, namespace);
  await untilQuiet(operator);
  const base = await operator.memory();
  const written = await writeAll(world, operator, namespace, count, sample);
  const began = performance.now();
  const stopMachines = await world.startMachines();
  await untilReady(world, namespace, count);
  const convergedSeconds = (performance.now() - began) / 1000;
  await untilQuiet(operator);
  const writes = await writesOf(operator, count);
  const full = await operator.memory();
  const idle = await idleOf(operator);
  const look = await lookOf(world, operator, namespace, count);
  await operator.stop();
  await stopMachines();
  const objects = sample.parts.flat().length;
  return {
    pipelines: count,
    objects,
    written,
    looped,
    bare: bareTime,
    bareStatuses,
    statuses: sample.patches.length + sample.statuses.length,
    convergedSeconds,
    writes,
    base,
    full,
    idle,
    look,
  };
}

/** Applies the pipelines at once, and opens their gate at once: answers how long the operator wrote. */
async function writeAll(
  world: World,
  operator: Operator,
  namespace: string,
  count: number,
  { parts: [first, second] }: Sample,
): Promise<Time> {
  const written = (objects: number) => {
    const all = async () => {
      await sleep(LOOK_MS);
      return (await operator.metric(REQUESTS, CREATED)) >= objects * count;
    };
    return timed(() => until(`${objects * count} objects are written`, all, { ms: LIMIT_MS }));
  };
  await operator.frozen(() => applyPipelines(world, namespace, count));
  const before = await written(first.length);
  await operator.frozen(() => completeJobs(world, namespace));
  const after = await written(first.length + second.length);
  return { seconds: before.seconds + after.seconds, cpuSeconds: before.cpuSeconds + after.cpuSeconds };
}

async function untilReady({ api }: World, namespace: string, count: number): Promise<void> {
  type Pipeline = KubeObject & { status?: PipelineStatus };
  const isReady = ({ status }: Pipeline) =>
    status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
  const allReady = async () => {
    await sleep(Math.max(1, count / LOOKED_FOR) * 1000);
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

/** What the operator has used so far. */
async function usedBy(operator: Operator): Promise<{ requests: number; cpuSeconds: number }> {
  return {
    requests: await operator.metric(REQUESTS),
    cpuSeconds: await operator.metric('process_cpu_seconds_total'),
  };
}

async function idleOf(operator: Operator): Promise<Figures['idle']> {
  const before = await usedBy(operator);
  await sleep(IDLE_SECONDS * 1000);
  const after = await usedBy(operator);
  return {
    seconds: IDLE_SECONDS,
    requestsAMinute: ((after.requests - before.requests) / IDLE_SECONDS) * 60,
    cpuPercent: ((after.cpuSeconds - before.cpuSeconds) / IDLE_SECONDS) * 100,
  };
}

/** Has the operator look at each pipeline once. */
async function lookOf(
  world: World,
  operator: Operator,
  namespace: string,
  count: number,
): Promise<Figures['look']> {
  const looks = await operator.metric(RECONCILES);
  const before = await usedBy(operator);
  await touchPipelines(world, namespace, count);
  const seen = async () => (await operator.metric(RECONCILES)) >= looks + count;
  await until('all pipelines were looked at', seen, { ms: LIMIT_MS });
  const after = await usedBy(operator);
  return {
    requests: (after.requests - before.requests) / count,
    cpuSeconds: (after.cpuSeconds - before.cpuSeconds) / count,
  };
}

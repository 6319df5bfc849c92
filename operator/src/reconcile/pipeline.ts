import type { StageName } from '../api/status.ts';
import { isRefused } from '../kube/errors.ts';
import { type Check, firstFault, notReady, READY, stuck } from '../status/check.ts';
import type { Seen } from '../status/conditions.ts';
import { audit, auditLogin } from './audit.ts';
import { cassandra } from './cassandra.ts';
import type { Mode } from './cluster.ts';
import { drain } from './drain.ts';
import { ingest } from './ingest.ts';
import { kafka } from './kafka.ts';
import { postgres } from './postgres.ts';
import { provision } from './provision.ts';
import { NameTakenError, TerminatingError } from './refusals.ts';
import { registry } from './registry.ts';
import { relay } from './relay.ts';
import { spark } from './spark.ts';
import type { Context, Step } from './step.ts';

/** A pipeline from top to bottom. The stores start together; what writes to them waits until they are provisioned. */
export const STEPS: Step[] = [
  { name: 'audit-login', stage: 'Workers', run: auditLogin },
  { name: 'postgres', stage: 'Postgres', run: postgres },
  { name: 'kafka', stage: 'Kafka', run: kafka },
  { name: 'cassandra', stage: 'Cassandra', run: cassandra },
  { name: 'registry', stage: 'SchemaRegistry', run: registry },
  { name: 'provision', stage: 'Workers', gate: true, run: provision },
  { name: 'spark', stage: 'Spark', run: spark },
  { name: 'relay', stage: 'Workers', run: relay },
  { name: 'ingest', stage: 'Workers', run: ingest },
  { name: 'audit', stage: 'Workers', run: audit },
  { name: 'drain', run: drain },
];

/** A step's answer. What the API server refuses to take is no failure to retry: the resource has to change. */
async function answer(step: Step, context: Context): Promise<Check> {
  try {
    return await step.run(context);
  } catch (error) {
    if (error instanceof NameTakenError) return stuck('NameTaken', error.message);
    if (error instanceof TerminatingError) return notReady('Terminating', error.message);
    if (!isRefused(error)) throw error;
    return stuck('Refused', `the API server refuses what ${step.name} asks for: ${(error as Error).message}`);
  }
}

/** What the steps saw, and whether the gate was open: what comes behind it fills the stores. */
export type Progress = { seen: Seen; provisioned: boolean };

function noted({ whole, stages }: Seen, stage: StageName | undefined, check: Check): Seen {
  if (!stage) return { whole: firstFault([whole, check]), stages };
  return { whole, stages: { ...stages, [stage]: firstFault([stages[stage] ?? READY, check]) } };
}

/**
 * How the steps after one may go on; undefined where they don't. Once one holds them, those after it leave workloads that
 * are well as they are, so that one stage rolls at a time. Before there is data nothing is held: a gate that was never open
 * is where it ends.
 */
export function modeAfter(
  { gate = false }: Pick<Step, 'gate'>,
  check: Check,
  mode: Mode,
  provisioned: boolean,
): Mode | undefined {
  if (check.ready || check.holds === false) return mode;
  if (provisioned) return 'hold';
  return gate ? undefined : mode;
}

/**
 * Runs the steps in their order, as far as they may go. Where the gate opens for the first time it stops: what comes next
 * may begin once the status says that there is data.
 * @throws what the API server answers, where a retry may heal it
 */
export async function runSteps(context: Context, steps: Step[] = STEPS): Promise<Progress> {
  let seen: Seen = { whole: READY, stages: {} };
  const { provisioned } = context;
  let mode: Mode | undefined = 'write';
  let provisionedNow = false;
  for (const step of steps) {
    const cluster = context.cluster.with({ mode });
    const check = await answer(step, { ...context, provisionedNow, cluster });
    seen = noted(seen, step.stage, check);
    if (step.gate && check.ready && !provisioned) return { seen, provisioned: true };
    if (step.gate) provisionedNow = check.ready;
    mode = modeAfter(step, check, mode, provisioned);
    if (!mode) break;
  }
  return { seen, provisioned };
}

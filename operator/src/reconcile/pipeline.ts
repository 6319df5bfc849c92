import type { StageName } from '../api/status.ts';
import { isForbidden, isInvalid } from '../kube/errors.ts';
import { type Check, notReady, stuck } from '../status/check.ts';
import type { StageChecks } from '../status/conditions.ts';
import { cassandra } from './cassandra.ts';
import { NameTakenError, TerminatingError } from './cluster.ts';
import { kafka } from './kafka.ts';
import { postgres } from './postgres.ts';
import { provision } from './provision.ts';
import { registry } from './registry.ts';
import { spark } from './spark.ts';
import type { Context, Step } from './step.ts';
import { workers } from './workers.ts';

/** A pipeline from top to bottom. The stores start together; what writes to them waits until they are provisioned. */
export const STEPS: Step[] = [
  { name: 'postgres', stage: 'Postgres', run: postgres },
  { name: 'kafka', stage: 'Kafka', run: kafka },
  { name: 'cassandra', stage: 'Cassandra', run: cassandra },
  { name: 'registry', stage: 'SchemaRegistry', run: registry },
  { name: 'provision', stage: 'Workers', gate: true, run: provision },
  { name: 'spark', stage: 'Spark', run: spark },
  { name: 'workers', stage: 'Workers', run: workers },
];

/** A step's answer. What the API server refuses to take is no failure to retry: the resource has to change. */
async function answer(step: Step, context: Context): Promise<Check> {
  try {
    return await step.run(context);
  } catch (error) {
    if (error instanceof NameTakenError) return stuck('NameTaken', error.message);
    if (error instanceof TerminatingError) return notReady('Terminating', error.message);
    if (!isInvalid(error) && !isForbidden(error)) throw error;
    return stuck('Refused', `the API server refuses what ${step.name} asks for: ${(error as Error).message}`);
  }
}

/**
 * Runs the steps in their order, up to a gate that isn't ready.
 * @returns what was seen of each stage that was reached
 * @throws what the API server answers, where a retry may heal it
 */
export async function runSteps(context: Context, steps: Step[] = STEPS): Promise<StageChecks> {
  const checks: Partial<Record<StageName, Check>> = {};
  for (const step of steps) {
    const check = await answer(step, context);
    if (step.stage) checks[step.stage] = check;
    if (step.gate && !check.ready) break;
  }
  return checks;
}

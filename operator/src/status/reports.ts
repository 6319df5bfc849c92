import { z } from 'zod';
import type { Condition, StageName } from '../api/status.ts';
import { type Check, notReady, READY, stuck } from './check.ts';

/** Whether what stands in Postgres stands in Cassandra: what the audit tells, and the condition DataIntact says. */
const verdict = z.object({
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(128),
  message: z.string().max(4096),
});

export type Verdict = z.infer<typeof verdict>;

/** What a worker answers at /readyz. */
export const report = z.object({
  ready: z.boolean(),
  stage: z.enum(['Source', 'Postgres', 'Kafka', 'SchemaRegistry', 'Cassandra', 'Spark', 'Worker']),
  reason: z.string().min(1).max(128),
  message: z.string().max(4096),
  figures: z.record(z.string(), z.number()).default({}),
  intact: verdict.optional(),
});

export type Report = z.infer<typeof report>;

/** A figure by its name, of whichever worker tells it. */
export function figure(reports: Report[], name: string): number | undefined {
  return reports.map(({ figures }) => figures[name]).find((value) => value !== undefined);
}

/** The worker port at which a report is asked for. */
export const REPORT_PORT = 8080;

/** The reason of workers that nobody can ask. */
export const UNREACHABLE = 'ReportsUnreachable';

/**
 * What stands for the reports of workers that their kubelets find ready and that don't answer the operator, none of them:
 * users flow, and nothing of it can be told.
 */
export function unreachable(address: string, pods: number): Report {
  const message =
    `none of the ${pods} workers that are ready answers the operator (as at ${address}): figures, DataIntact, ` +
    'a lost slot and the end of a suspension stay unseen; let its pods reach theirs at TCP ' +
    `${REPORT_PORT}, past NetworkPolicies and the mTLS of a mesh`;
  return { ready: true, stage: 'Worker', reason: UNREACHABLE, message, figures: {} };
}

/** Why nothing is known of the workers, where they can't be asked. */
export const whyUnknown = (reports: Report[]) =>
  reports.find(({ reason }) => reason === UNREACHABLE)?.message;

/** Whether workers that could be asked can't be any more, or the other way round, as the conditions have it. */
export function reachDiffers(reports: Report[], conditions: Condition[]): boolean {
  const knownUnreachable = conditions.some(({ reason }) => reason === UNREACHABLE);
  return knownUnreachable !== (whyUnknown(reports) !== undefined);
}

/** Reasons that no waiting heals: the resource itself has to change. */
const NEEDS_A_PERSON = new Set([
  'SqlInvalid',
  'TableUnfit',
  'SchemaIncompatible',
  'TopicReplicasDiffer',
  'TopicHasMorePartitions',
  'ColumnTypeConflict',
  'SlotTaken',
  'TableUnexpected',
  'DatabaseTaken',
  'WalLevelNotLogical',
]);

const OWN_STAGE: Record<Report['stage'], StageName> = {
  Source: 'Workers',
  Postgres: 'Postgres',
  Kafka: 'Kafka',
  SchemaRegistry: 'SchemaRegistry',
  Cassandra: 'Cassandra',
  Spark: 'Spark',
  Worker: 'Workers',
};

/**
 * What the workers say of a stage: ready unless one of them names it as what holds it up. One that is ready may have
 * something to tell all the same, and then has a message.
 */
export function reportedCheck(stage: StageName, reports: Report[]): Check {
  const own = reports.filter((each) => OWN_STAGE[each.stage] === stage);
  const fault = own.find(({ ready }) => !ready);
  if (!fault) {
    const told = own.find(({ message }) => message);
    return told ? { ready: true, reason: told.reason, message: told.message } : READY;
  }
  return NEEDS_A_PERSON.has(fault.reason)
    ? stuck(fault.reason, fault.message)
    : notReady(fault.reason, fault.message);
}

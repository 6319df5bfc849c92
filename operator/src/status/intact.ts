import type { Condition, PipelineStatus } from '../api/status.ts';
import { figure, type Report, type Verdict } from './reports.ts';

export type Audit = NonNullable<PipelineStatus['audit']>;

const NOT_COMPARED: Verdict = {
  status: 'Unknown',
  reason: 'NotCompared',
  message: 'Postgres and Cassandra have yet to be compared',
};

const SUSPENDED: Verdict = {
  status: 'Unknown',
  reason: 'Suspended',
  message: 'a suspended pipeline is not compared',
};

/** What the audit says; one that doesn't answer just now has said what stands there. */
export function verdict(suspended: boolean, reports: Report[], before: Condition[]): Verdict {
  if (suspended) return SUSPENDED;
  const told = reports.find(({ intact }) => intact)?.intact;
  if (told) return told;
  const known = before.find(({ type, status }) => type === 'DataIntact' && status !== 'Unknown');
  return known ? { status: known.status, reason: known.reason, message: known.message } : NOT_COMPARED;
}

/** Whether the audit says something else than the condition does. */
export function isNews(reports: Report[], conditions: Condition[]): boolean {
  const told = reports.find(({ intact }) => intact)?.intact;
  const known = conditions.find(({ type }) => type === 'DataIntact');
  return told !== undefined && (told.status !== known?.status || told.message !== known.message);
}

/** The figures of the last audit that was completed; undefined where none is told of. */
export function auditOf(reports: Report[]): Audit | undefined {
  const at = figure(reports, 'auditedAt');
  if (at === undefined) return undefined;
  const figures = {
    seconds: figure(reports, 'auditSeconds'),
    users: figure(reports, 'auditUsers'),
    rows: figure(reports, 'auditRows'),
    differing: figure(reports, 'auditDiffering'),
    unsettled: figure(reports, 'auditUnsettled'),
  };
  const known = Object.entries(figures).filter(([, value]) => value !== undefined);
  return { comparedTime: inSeconds(at), ...Object.fromEntries(known) };
}

/** A time in seconds since 1970 as Kubernetes writes it. */
const inSeconds = (at: number) => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;

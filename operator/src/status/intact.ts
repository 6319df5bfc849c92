import type { Condition, PipelineStatus } from '../api/status.ts';
import { inSeconds } from '../kube/clock.ts';
import { figure, type Report, type Verdict } from './reports.ts';

export type Audit = NonNullable<PipelineStatus['audit']>;

/** What is known of the pipeline that is compared. */
export type Known = {
  suspended: boolean;
  generation: number;
  /** From the start of one comparison to the next. */
  intervalMs: number;
  conditions: Condition[];
  audit?: Audit | undefined;
  now: Date;
};

/** So many comparisons may fail to come before the last one no longer counts. */
const MISSED = 3;

const HOUR_MS = 3_600_000;

const unknown = (reason: string, message: string): Verdict => ({ status: 'Unknown', reason, message });

const NOT_COMPARED = unknown(
  'NotCompared',
  'not compared since the resource changed, or for too long; where this lasts, see whether the pod of the audit runs, and its log',
);

const SUSPENDED = unknown('Suspended', 'a suspended pipeline is not compared');

const dataIntact = (conditions: Condition[]) => conditions.find(({ type }) => type === 'DataIntact');

/** When the last audit was completed, in milliseconds since 1970; 0 where it isn't known. */
const comparedMs = (reports: Report[], audit?: Audit) =>
  Math.max((figure(reports, 'auditedAt') ?? 0) * 1000, audit ? Date.parse(audit.comparedTime) : 0);

/** What the audit tells. What it compared before nothing could be said counts no more: the resource may have changed. */
function told(reports: Report[], before: Condition | undefined): Verdict | undefined {
  const intact = reports.find(({ intact }) => intact)?.intact;
  if (intact?.status === 'Unknown' || before?.status !== 'Unknown') return intact;
  return comparedMs(reports) >= Date.parse(before.lastTransitionTime) ? intact : undefined;
}

/** Whether a comparison is recent enough, given how long they take and that the status tells of them once an hour. */
function isRecent(reports: Report[], { audit, intervalMs, now }: Known): boolean {
  const tookMs = (figure(reports, 'auditSeconds') ?? audit?.seconds ?? 0) * 1000;
  const limitMs = HOUR_MS + MISSED * Math.max(intervalMs, tookMs);
  return now.getTime() - comparedMs(reports, audit) <= limitMs;
}

/** What stood there before; what is Unknown for whatever reason has yet to be compared. */
function kept({ status, reason, message }: Condition): Verdict {
  return status === 'Unknown' ? NOT_COMPARED : { status, reason, message };
}

/** What the audit says; one that doesn't answer has said what stands there, if that is recent and of this generation. */
export function verdict(reports: Report[], known: Known): Verdict {
  if (known.suspended) return SUSPENDED;
  const before = dataIntact(known.conditions);
  if (before?.observedGeneration !== known.generation) return NOT_COMPARED;
  const said = told(reports, before) ?? kept(before);
  return said.status === 'Unknown' || isRecent(reports, known) ? said : NOT_COMPARED;
}

/** Whether the audit says something else than the condition does. */
export function isNews(reports: Report[], conditions: Condition[]): boolean {
  const known = dataIntact(conditions);
  const intact = told(reports, known);
  return intact !== undefined && (intact.status !== known?.status || intact.message !== known.message);
}

/** Whether two audits came to the same, and in the same hour: the status of an idle pipeline stays as it is. */
function saysTheSame(one: Audit, other: Audit): boolean {
  const apartMs = Date.parse(one.comparedTime) - Date.parse(other.comparedTime);
  const counts = ['users', 'rows', 'differing', 'unsettled'] as const;
  return Math.abs(apartMs) < HOUR_MS && counts.every((name) => one[name] === other[name]);
}

/** What the status is to say of the last audit that was completed, given what it says; undefined where none is told of. */
export function auditOf(reports: Report[], before: Audit | undefined): Audit | undefined {
  const told = lastAudit(reports);
  return told && before && saysTheSame(told, before) ? before : told;
}

function lastAudit(reports: Report[]): Audit | undefined {
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
  return { comparedTime: inSeconds(new Date(at * 1000)), ...Object.fromEntries(known) };
}

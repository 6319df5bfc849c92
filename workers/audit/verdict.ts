import type { Figures, Verdict } from '../lib/health.ts';
import type { Outcome } from './audit.ts';
import type { Difference, Kind } from './compare.ts';
import { LONGEST_BODY } from './driver.ts';

/** Users that a condition names; the log has all. */
const NAMED = 20;

const WORDS: Record<Kind, string> = {
  changed: 'has other values in Cassandra',
  missing: 'is missing in Cassandra',
  extra: 'stands in Cassandra only',
  failing: 'is one on which spark.sql throws an error',
  oversized: `is larger than the ${LONGEST_BODY / 2 ** 20} MiB that can be compared`,
};

export const NOT_COMPARED: Verdict = {
  status: 'Unknown',
  reason: 'NotCompared',
  message: 'the first comparison of Postgres and Cassandra is under way',
};

/** What an audit amounts to. */
export function verdictOf(outcome: Outcome): Verdict {
  const { differing, more, users, rows, unsettled } = outcome;
  const compared = `${users} users in Postgres, ${rows} rows in Cassandra`;
  if (differing.length > 0) {
    const amount = `${more ? 'more than ' : ''}${differing.length}`;
    const message = `${amount} of them differ (${compared}): ${named(differing)}; see the runbook "DataIntact is False"`;
    return { status: 'False', reason: 'DataDiffers', message };
  }
  if (more) {
    const message = `too many users change to look into each (${compared}); it is compared again`;
    return { status: 'Unknown', reason: 'TooManyChanges', message };
  }
  const moving =
    unsettled > 0 ? `, and nothing can be said yet of ${unsettled} more that changed at each look` : '';
  return { status: 'True', reason: 'DataIntact', message: `nothing differs (${compared})${moving}` };
}

function named(differing: readonly Difference[]): string {
  const names = differing.slice(0, NAMED).map(({ id, kind }) => `${id} ${WORDS[kind]}`);
  return [...names, ...(differing.length > NAMED ? ['…'] : [])].join(', ');
}

/** The figures of the last audit that was completed. */
export function figuresOf(
  { users, rows, differing, unsettled }: Outcome,
  seconds: number,
  at: Date,
): Figures {
  return {
    auditUsers: users,
    auditRows: rows,
    auditDiffering: differing.length,
    auditUnsettled: unsettled,
    auditSeconds: Math.round(seconds),
    auditedAt: Math.floor(at.getTime() / 1000),
  };
}

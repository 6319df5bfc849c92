import { Counter, Gauge, type Registry } from 'prom-client';
import type { Figures, Verdict } from '../lib/health.ts';

const GAUGES = {
  auditUsers: ['users', 'Users in Postgres at the last audit'],
  auditRows: ['rows', 'Rows in Cassandra at the last audit'],
  auditDiffering: ['differing_users', 'Users on which Postgres and Cassandra differed at the last audit'],
  auditUnsettled: ['unsettled_users', 'Users that changed at each look of the last audit'],
  auditSeconds: ['duration_seconds', 'How long the last audit took'],
  auditedAt: ['completed_timestamp_seconds', 'When the last audit was completed'],
} as const;

/** The audit's figures for Prometheus: none before the first audit is completed. */
export function auditMetrics(registry: Registry) {
  const registers = [registry];
  const audits = new Counter({
    name: 'userstream_audits_total',
    help: 'Audits by their result: whether the data was intact, or Unknown where that could not be told',
    labelNames: ['intact'],
    registers,
  });
  const gauges = new Map<string, Gauge>();
  const gauge = (name: string, help: string) =>
    gauges.get(name) ??
    gauges.set(name, new Gauge({ name: `userstream_audit_${name}`, help, registers })).get(name);
  return {
    ended({ status }: Verdict): void {
      audits.inc({ intact: status });
    },
    completed(figures: Figures): void {
      for (const [figure, [name, help]] of Object.entries(GAUGES))
        gauge(name, help)?.set(figures[figure] ?? 0);
    },
  };
}

export type AuditMetrics = ReturnType<typeof auditMetrics>;

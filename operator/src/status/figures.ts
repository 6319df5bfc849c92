import type { PipelineStatus } from '../api/status.ts';
import { figure, type Report } from './reports.ts';

export type Figures = NonNullable<PipelineStatus['figures']>;

/** The bytes of WAL that wait: a relay that keeps up has none, whatever the server writes for itself just now. */
function lagBytes(reports: Report[]): number | undefined {
  return figure(reports, 'relayedForMs') ? 0 : figure(reports, 'lagBytes');
}

/** The figures that the workers tell; undefined where none does. Those of an idle pipeline stay the same. */
export function figuresOf(reports: Report[]): Figures | undefined {
  const told = {
    usersPerMinute: figure(reports, 'usersPerMinute'),
    lagRecords: figure(reports, 'lag'),
    lagBytes: lagBytes(reports),
    latencyP50Millis: figure(reports, 'latencyP50Ms'),
    latencyP99Millis: figure(reports, 'latencyP99Ms'),
  };
  const known = Object.entries(told).filter(([, value]) => value !== undefined);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

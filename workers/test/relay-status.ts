import type { Status } from '../lib/health.ts';
import type { WorkerProcess } from './process.ts';
import { until } from './wait.ts';

/** Waits until the relay's own status passes `check`; a failure tells the last status and the relay's log. */
export async function reaches(
  relay: WorkerProcess,
  what: string,
  check: (status: Status) => boolean,
  deadlineMs?: number,
): Promise<Status> {
  let last: Status | undefined;
  const look = async () => {
    last = (await (await fetch(`http://127.0.0.1:${relay.port}/readyz`)).json()) as Status;
    return check(last) ? last : undefined;
  };
  return until(`the relay ${what}`, look, deadlineMs).catch((error) => {
    throw new Error(`${error.message}; last: ${JSON.stringify(last)}\n${relay.output().slice(-6000)}`);
  });
}

export function standsBy({ figures }: Status): boolean {
  return figures?.['standby'] === 1;
}

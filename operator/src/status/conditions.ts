import { type Condition, STAGES, type StageName } from '../api/status.ts';
import type { Check } from './check.ts';

export type StageChecks = Partial<Record<StageName, Check>>;

type Observation = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function observation(type: string, holds: boolean, reason: string, message: string): Observation {
  return { type, status: holds ? 'True' : 'False', reason, message };
}

function stageObservation(stage: StageName, check: Check | undefined): Observation {
  const type = `${stage}Ready`;
  if (!check)
    return { type, status: 'Unknown', reason: 'Waiting', message: 'waits for the stages before it' };
  if (check.ready) return observation(type, true, 'Ready', '');
  return observation(type, false, check.reason, check.message);
}

/** The stage and its reason in one word, which names the stage once. */
function summaryReason(stage: StageName, reason: string): string {
  return reason.startsWith(stage) ? reason : `${stage}${reason}`;
}

/** Ready, Reconciling and Stalled (kstatus) from the stages: the first stage that isn't ready speaks for all. */
function summary(checks: StageChecks, suspended: boolean): Observation[] {
  const faults = STAGES.flatMap((stage) => {
    const check = checks[stage];
    return check?.ready ? [] : [{ stage, check }];
  });
  const told =
    faults.find(({ check }) => check && !check.ready && check.stuck) ?? faults.find(({ check }) => check);
  const fault = told ?? faults[0];
  if (!fault) {
    return [
      suspended
        ? observation('Ready', true, 'Suspended', 'nothing flows, as spec.suspend says; the data stays')
        : observation('Ready', true, 'Running', 'users flow'),
      observation('Reconciling', false, 'Done', ''),
      observation('Stalled', false, 'Done', ''),
    ];
  }
  const { stage, check } = fault;
  const reason = check && !check.ready ? check.reason : 'Waiting';
  const message = check && !check.ready ? check.message : 'waits for the stages before it';
  const stalled = check !== undefined && !check.ready && check.stuck === true;
  return [
    observation('Ready', false, summaryReason(stage, reason), message),
    observation('Reconciling', !stalled, summaryReason(stage, reason), message),
    observation('Stalled', stalled, summaryReason(stage, reason), stalled ? message : ''),
  ];
}

/**
 * The conditions after a look at the stages. A condition's lastTransitionTime moves only with its status.
 * @param now ISO 8601 in whole seconds, as Kubernetes writes times
 */
export function conditions(
  checks: StageChecks,
  previous: Condition[],
  generation: number,
  now: string,
  suspended = false,
): Condition[] {
  const observations = [
    ...summary(checks, suspended),
    ...STAGES.map((stage) => stageObservation(stage, checks[stage])),
  ];
  return observations.map((each) => {
    const before = previous.find((condition) => condition.type === each.type);
    const since = before?.status === each.status ? before.lastTransitionTime : now;
    return { ...each, observedGeneration: generation, lastTransitionTime: since };
  });
}

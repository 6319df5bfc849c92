import { type Condition, STAGES, type StageName } from '../api/status.ts';
import { type Check, notReady } from './check.ts';
import type { Verdict } from './reports.ts';

export type StageChecks = Partial<Record<StageName, Check>>;

/** What was seen of a pipeline: of it as a whole, and of each stage that was reached. */
export type Seen = { whole: Check; stages: StageChecks };

type Observation = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;
type Summary = Pick<Observation, 'reason' | 'message'>;

const WAITING = notReady('Waiting', 'is looked at when what comes before it is ready');

function observation(type: string, holds: boolean, reason: string, message: string): Observation {
  return { type, status: holds ? 'True' : 'False', reason, message };
}

function stageObservation(stage: StageName, check: Check = WAITING): Observation {
  const type = `${stage}Ready`;
  if (check.ready) return observation(type, true, check.reason ?? 'Ready', check.message ?? '');
  const { reason, message } = check;
  return check === WAITING
    ? { type, status: 'Unknown', reason, message }
    : observation(type, false, reason, message);
}

/** A stage and its reason in one word, which names the stage once. */
export function stageReason(stage: StageName, reason: string): string {
  return reason.startsWith(stage) ? reason : `${stage}${reason}`;
}

/** The check that speaks for all: what a person must mend, else the first that isn't ready, else the first not seen. */
function spokesman({ whole, stages }: Seen): (Summary & { stuck: boolean }) | undefined {
  const named = STAGES.map((stage) => ({
    check: stages[stage] ?? WAITING,
    name: stage as StageName | undefined,
  }));
  const faults = [{ check: whole, name: undefined }, ...named].flatMap(({ check, name }) =>
    check.ready ? [] : [{ check, name }],
  );
  const fault =
    faults.find(({ check }) => check.stuck) ?? faults.find(({ check }) => check !== WAITING) ?? faults[0];
  if (!fault) return undefined;
  const { reason, message, stuck = false } = fault.check;
  return { reason: fault.name ? stageReason(fault.name, reason) : reason, message, stuck };
}

/** Ready, Reconciling and Stalled (kstatus). `done` says what it means that all is ready. */
function summary(seen: Seen, done: Summary): Observation[] {
  const fault = spokesman(seen);
  if (!fault) {
    return [
      observation('Ready', true, done.reason, done.message),
      observation('Reconciling', false, 'Done', ''),
      observation('Stalled', false, 'Done', ''),
    ];
  }
  const { reason, message, stuck } = fault;
  return [
    observation('Ready', false, reason, message),
    observation('Reconciling', !stuck, reason, message),
    observation('Stalled', stuck, reason, stuck ? message : ''),
  ];
}

const RUNNING: Summary = { reason: 'Running', message: 'users flow' };
const SUSPENDED: Summary = {
  reason: 'Suspended',
  message:
    'drained: nothing is fetched, and what was fetched stands in Cassandra; set spec.suspend to false to go on',
};

/** The observations as conditions: a lastTransitionTime moves only with its status. */
function dated(observations: Observation[], previous: Condition[], generation: number, now: string) {
  return observations.map((each) => {
    const before = previous.find((condition) => condition.type === each.type);
    const since = before?.status === each.status ? before.lastTransitionTime : now;
    return { ...each, observedGeneration: generation, lastTransitionTime: since };
  });
}

/**
 * The conditions after a look at the pipeline.
 * @param now ISO 8601 in whole seconds, as Kubernetes writes times
 */
export function conditions(
  seen: Seen,
  previous: Condition[],
  generation: number,
  now: string,
  { suspended, intact }: { suspended?: boolean | undefined; intact?: Verdict | undefined } = {},
): Condition[] {
  const observations = [
    ...summary(seen, suspended ? SUSPENDED : RUNNING),
    ...STAGES.map((stage) => stageObservation(stage, seen.stages[stage])),
    ...(intact ? [{ type: 'DataIntact', ...intact }] : []),
  ];
  return dated(observations, previous, generation, now);
}

/** The conditions of a pipeline whose stages aren't looked at, for the reason that `whole` tells: theirs stay. */
export function unlooked(whole: Check, previous: Condition[], generation: number, now: string): Condition[] {
  const told = dated(summary({ whole, stages: {} }, RUNNING), previous, generation, now);
  const types = told.map(({ type }) => type);
  return [...told, ...previous.filter(({ type }) => !types.includes(type))];
}

import { Reference } from './reference.ts';
import { NAME, type Run } from './run.ts';
import { play, type Scenario } from './scenarios.ts';
import { type State, withoutHistory } from './state.ts';
import { NO_FAULT, type Suite } from './suite.ts';

/** What to judge the end of a scenario by, and how many writes and requests it takes, at most. */
export type Faultless = {
  reference: Reference;
  /** The same for ends that may be come to by another way. */
  end: Reference;
  states: State[];
  writes: number;
  requests: number;
};

const RUNS = 3;

/** A scenario from an empty namespace to its end. `harm` is called after what comes before its steps. */
export async function playScenario(run: Run, { before, steps }: Scenario, harm = () => {}): Promise<void> {
  run.startOperator();
  await play(run, before);
  run.proxy.restart();
  harm();
  await play(run, steps);
}

/** Some runs of a scenario without a fault, the same ones for all kinds. @throws where one of them fails */
export function faultless(suite: Suite, scenario: Scenario): Promise<Faultless> {
  return suite.once(scenario.name, async () => {
    const runs = Array.from({ length: RUNS }, () =>
      suite.attempt(NO_FAULT, scenario.name, ({ run }) => once(run, scenario)),
    );
    const done = (await Promise.all(runs)).filter((each) => each !== undefined);
    if (done.length < RUNS) throw new Error(`"${scenario.name}" fails without a fault`);
    const states = done.map(({ state }) => state);
    return {
      reference: new Reference(states, NAME),
      end: new Reference(states, NAME, withoutHistory),
      states,
      writes: Math.max(...done.map(({ writes }) => writes)),
      requests: Math.max(...done.map(({ requests }) => requests)),
    };
  });
}

/** What is on its way where nothing is written any more, as a late event is, has come within this. */
const LATE_MS = 20_000;

/** What is still different, a line each, when a run has come as near to its end as it will within `ms` milliseconds. */
export async function lasting(
  run: Run,
  reference: Pick<Reference, 'differences'>,
  ms = LATE_MS,
): Promise<string[]> {
  let left = ['it never came to rest'];
  const none = async () => {
    left = reference.differences(await run.state());
    return left.length === 0;
  };
  await run.settled('the end is the same', none, ms).catch(() => undefined);
  return left;
}

async function once(run: Run, scenario: Scenario) {
  await playScenario(run, scenario);
  return { state: await run.state(), writes: run.proxy.writes, requests: run.proxy.sent.length };
}

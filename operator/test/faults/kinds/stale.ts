import { type Faultless, faultless, playScenario } from '../faultless.ts';
import type { Tap } from '../proxy.ts';
import { Random } from '../random.ts';
import type { Run } from '../run.ts';
import { apply, CREATED, recreate, type Scenario } from '../scenarios.ts';
import type { Attempt, Kind, Suite } from '../suite.ts';
import { answer, every, gone, lateEvents, lose, oneIn, silent } from './harm.ts';
import { type Moment, replay } from './replay.ts';
import { INTRUSIONS, type Intrusion } from './strangers.ts';

const KIND = 'stale and unobserved';

/** A life with what faults may hit: everything made, changed, scaled, and made anew under the same name. */
const LIFE: Scenario = {
  name: 'a life',
  before: [],
  steps: [
    apply('create'),
    apply('change', { spark: { sql: 'SELECT id FROM users' }, ingest: { replicas: 2 } }),
    recreate,
  ],
};

const REBIRTH: Scenario = { name: 'two lives', before: [], steps: [apply('create'), recreate] };

/** However long a run takes, a healthy operator asks no more than this. */
const TIMES_REQUESTS = 4;
const REQUESTS_A_SECOND = 5;

type Harm = { name: string; tap(harmed: () => void, random: Random): Tap; limitMs?: number };

const HARM: Harm[] = [
  { name: '409 on every 3rd write', tap: (harmed) => answer('write', 409, every(3), harmed) },
  { name: '409 on every 2nd write', tap: (harmed) => answer('write', 409, every(2), harmed) },
  { name: '429 on every 4th write', tap: (harmed) => answer('write', 429, every(4), harmed) },
  { name: '500 on every 3rd write', tap: (harmed) => answer('write', 500, every(3), harmed) },
  {
    name: '500 on one read in seven',
    tap: (harmed, random) => answer('read', 500, oneIn(7, random), harmed),
  },
  { name: 'every 3rd write without an answer', tap: (harmed) => lose('lose', every(3), harmed) },
  {
    name: 'one answer in seven cut in the middle',
    tap: (harmed, random) => lose('cut', oneIn(7, random), harmed),
  },
  { name: 'watches that are gone after five events', tap: (harmed) => gone(5, harmed) },
  { name: 'events that come ten at a time', tap: (harmed) => lateEvents(10, harmed) },
  { name: 'watches that fall silent', tap: (harmed) => silent(6, harmed), limitMs: 300_000 },
];

const MOMENTS: Moment[] = ['before anything was made', 'while it was being deleted'];

function hotLoop(run: Run, began: number, { requests }: Faultless): string[] {
  const seconds = (performance.now() - began) / 1000;
  const most = TIMES_REQUESTS * requests + REQUESTS_A_SECOND * seconds;
  const sent = run.proxy.sent.length;
  return sent > most ? [`${sent} requests in ${Math.round(seconds)} s, ${requests} without a fault`] : [];
}

type Case = { name: string; play(suite: Suite): Promise<void> };

function harmedCase({ name, tap, limitMs }: Harm, scenario: Scenario, random: Random): Case {
  const body = async ({ run, harmed, same }: Attempt, known: Faultless) => {
    const began = performance.now();
    run.limitMs = limitMs ?? run.limitMs;
    await playScenario(run, scenario, () => {
      run.proxy.tap = tap(harmed, random);
    });
    same([...known.reference.differences(await run.state()), ...hotLoop(run, began, known)]);
  };
  return judged(name, scenario, body);
}

function relivedCase(moment: Moment): Case {
  return judged(`lists from ${moment}`, REBIRTH, async ({ run, harmed, same }, { reference }) => {
    await replay(run, moment, harmed);
    same(reference.differences(await run.state()));
  });
}

function intrudedCase({ name, play }: Intrusion): Case {
  return { name, play: (suite) => suite.attempt(KIND, name, play) };
}

function judged(
  name: string,
  scenario: Scenario,
  body: (attempt: Attempt, known: Faultless) => Promise<void>,
): Case {
  const play = async (suite: Suite) => {
    if (!suite.wants(name)) return;
    const known = await faultless(suite, scenario);
    await suite.attempt(KIND, name, (attempt) => body(attempt, known));
  };
  return { name, play };
}

/** What the operator sees is late, old, torn or refused: the end is the same, without a hot loop. */
export const stale: Kind = {
  name: KIND,
  async run(suite, random) {
    const cases = [
      ...HARM.filter(({ limitMs }) => !suite.sampled || !limitMs).map((harm) =>
        harmedCase(harm, suite.sampled ? CREATED : LIFE, new Random(`${random.next()} ${harm.name}`)),
      ),
      ...MOMENTS.map(relivedCase),
      ...INTRUSIONS.map(intrudedCase),
    ];
    await Promise.all(suite.choose(random, cases, 3).map(({ play }) => play(suite)));
  },
};

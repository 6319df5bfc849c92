import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../until.ts';
import { type Faultless, faultless, lasting, playScenario } from '../faultless.ts';
import { Random } from '../random.ts';
import type { Reference } from '../reference.ts';
import type { Run } from '../run.ts';
import { apply, CREATED, recreate, type Scenario, type Step } from '../scenarios.ts';
import { LEAST } from '../specs.ts';
import type { Attempt, Kind, Suite } from '../suite.ts';
import { isLease, type Tap } from '../tap.ts';
import { answer, every, gone, lateEvents, lose, oneIn, silent, torn, unseenLives } from './harm.ts';
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

/** A life that is over as soon as it has a pod. */
const briefly: Step = {
  name: 'make and delete at once',
  async do(run) {
    await run.apply(LEAST);
    const pod = async () => (await run.objects()).some(({ kind }) => kind === 'Pod');
    await until('there is a pod', pod, { ms: run.limitMs });
    await run.delete();
  },
  end: (run) => run.gone(),
};

const AFTER_A_BRIEF_LIFE: Scenario = {
  name: 'create after a brief life',
  before: [],
  steps: [briefly, apply('create')],
};

const REBIRTH: Scenario = { name: 'two lives', before: [], steps: [apply('create'), recreate] };

/** While faults go on, a healthy operator asks no more than this; without them, once. */
const TIMES_REQUESTS = 2;
const REQUESTS_A_SECOND = 1;

/**
 * When all is done it asks nothing beside its Lease, faults or not; so much allows for one look at the pipeline, begun anew
 * three times where its answers are cut.
 */
const REQUESTS_AT_REST = 16;
const SETTLE_MS = 3_000;
const REST_MS = 20_000;

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
  { name: 'watches that break off in the middle of the fourth event', tap: (harmed) => torn(3, harmed) },
  { name: 'events that come ten at a time', tap: (harmed) => lateEvents(10, harmed) },
  { name: 'watches that fall silent', tap: (harmed) => silent(6, harmed), limitMs: 300_000 },
];

const MOMENTS: Moment[] = ['before anything was made', 'while it was being deleted'];

function hotLoop(sent: number, seconds: number, { requests }: Faultless): string[] {
  const most = TIMES_REQUESTS * requests + REQUESTS_A_SECOND * seconds;
  return sent > most ? [`${sent} requests in ${Math.round(seconds)} s, ${requests} without a fault`] : [];
}

/** What an operator goes on to ask when all is done. */
async function unrest({ proxy }: Run): Promise<string[]> {
  await sleep(SETTLE_MS);
  const before = proxy.sent.length;
  await sleep(REST_MS);
  const asked = proxy.sent.slice(before).filter((sent) => !isLease(sent));
  if (asked.length <= REQUESTS_AT_REST) return [];
  const some = asked.slice(0, REQUESTS_AT_REST).map(({ method, path }) => `${method} ${path}`);
  return [
    `${asked.length} requests in ${REST_MS / 1000} s in which there was nothing to do: ${some.join(', ')} …`,
  ];
}

type Case = { name: string; play(suite: Suite): Promise<void> };

/** Plays a scenario while harm is done; answers what was asked meanwhile, and what is wrong at the end. */
async function playHarmed(
  { run, harmed }: Attempt,
  scenario: Scenario,
  harm: Harm,
  random: Random,
  reference: Reference,
) {
  const began = performance.now();
  let times = 0;
  run.limitMs = harm.limitMs ?? run.limitMs;
  await playScenario(run, scenario, () => {
    run.proxy.tap = harm.tap(() => {
      times += 1;
      harmed();
    }, random);
  });
  const asked = { sent: run.proxy.sent.length, seconds: (performance.now() - began) / 1000 };
  const lasts = await lasting(run, reference);
  const faults = [...lasts, ...(times > 0 ? [] : ['no fault was injected']), ...(await unrest(run))];
  return { ...asked, faults };
}

function harmedCase(harm: Harm, scenario: Scenario, random: Random): Case {
  return judged(harm.name, scenario, async (attempt, known) => {
    const { sent, seconds, faults } = await playHarmed(attempt, scenario, harm, random, known.reference);
    attempt.same([...hotLoop(sent, seconds, known), ...faults]);
  });
}

/** What comes and goes is unseen where it does so soon. */
function unseenCase(random: Random): Case {
  const harm: Harm = { name: 'objects that come and go unseen', tap: (harmed) => unseenLives(1, harmed) };
  return judged(harm.name, CREATED, async (attempt, { end }) => {
    const { faults } = await playHarmed(attempt, AFTER_A_BRIEF_LIFE, harm, random, end);
    attempt.same(faults);
  });
}

function relivedCase(moment: Moment): Case {
  return judged(`lists from ${moment}`, REBIRTH, async ({ run, harmed, same }, { reference }) => {
    await replay(run, moment, harmed);
    same(await lasting(run, reference));
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
      unseenCase(random),
      ...MOMENTS.map(relivedCase),
      ...INTRUSIONS.map(intrudedCase),
    ];
    await Promise.all(suite.choose(random, cases, 3).map(({ play }) => play(suite)));
  },
};

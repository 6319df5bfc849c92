import type { KubeObject } from '../../../src/kube/object.ts';
import { refOf } from '../../../src/kube/object.ts';
import { faultless, lasting } from '../faultless.ts';
import type { Run } from '../run.ts';
import { apply, broken, CREATED, makeSecrets, play, type Scenario, type Step } from '../scenarios.ts';
import { NO_SUCH_IMAGE } from '../stages.ts';
import type { Kind } from '../suite.ts';

const KIND = 'recovery';

type Spec = Record<string, unknown>;

/** What goes wrong, step by step, how it is corrected, and what it is to be like then. */
type Case = { name: string; wrong: Step[]; correct: Step; like: Scenario };

const TOO_MUCH = { resources: { requests: { memory: '900Ti' }, limits: { memory: '900Ti' } } };
const NO_IMAGE = /no such image/;
const NO_ROOM = /Insufficient memory/;
const NO_SECRET = /Secret missing doesn't exist/;

const withImage = (component: string): Spec => ({ [component]: { managed: { image: NO_SUCH_IMAGE } } });

function fresh(name: string, wrong: Spec, says: RegExp): Case {
  return { name, wrong: [broken(wrong, says)], correct: apply('correct'), like: CREATED };
}

/** Wrong once there is data: users flow already, and what works must go on. */
function later(name: string, wrong: Spec, says: RegExp, more: Step[] = []): Case {
  const steps = [apply('create'), broken(wrong, says), ...more];
  return { name: `${name}, once there is data`, wrong: steps, correct: apply('correct'), like: CREATED };
}

const images = ['postgres', 'cassandra', 'schemaRegistry'].map((component) =>
  fresh(`an image of ${component} that doesn't exist`, withImage(component), NO_IMAGE),
);

const memory = (component: string, around: (resources: Spec) => Spec): Case =>
  fresh(`more memory for ${component} than the node has`, around(TOO_MUCH), NO_ROOM);

type Pod = KubeObject & { status?: { conditions?: { type: string; status: string }[] } };

/** Cassandra's pods that are there, and whether each is ready. */
async function nodes(run: Run): Promise<{ pod: Pod; ready: boolean }[]> {
  const pods = (await run.objects()).filter(
    ({ kind, metadata }) => kind === 'Pod' && metadata.name.includes('-cassandra-'),
  );
  return pods.map((pod: Pod) => ({
    pod,
    ready: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
  }));
}

/** The pods that still ran are evicted, as from nodes that are drained, and come back broken, as far as they do. */
const evict: Step = {
  name: 'evict what runs',
  async do(run) {
    const running = (await nodes(run)).filter(({ ready }) => ready);
    for (const { pod } of running) await run.world.client.delete(refOf(pod));
  },
  end: (run) =>
    run.settled('several pods are broken', async () => {
      const all = await nodes(run);
      return all.length > 1 && all.every(({ ready }) => !ready);
    }),
};

const PRIVATE: Spec = { postgres: { external: { host: 'db', secretRef: { name: 'missing' } } } };
const secret = makeSecrets(['missing']);

const CASES: Case[] = [
  ...images,
  memory('Postgres', (managed) => ({ postgres: { managed } })),
  memory('Cassandra', (managed) => ({ cassandra: { managed } })),
  memory('the registry', (managed) => ({ schemaRegistry: { managed } })),
  memory('the relay', (relay) => ({ relay })),
  memory('the ingest', (ingest) => ({ ingest })),
  memory('the Spark driver', (driver) => ({ spark: { driver } })),
  later('an image of postgres', withImage('postgres'), NO_IMAGE),
  later('an image of cassandra, and all pods broken', withImage('cassandra'), NO_IMAGE, [evict]),
  later('more memory for the registry', { schemaRegistry: { managed: TOO_MUCH } }, NO_ROOM),
  later('more memory for the relay', { relay: TOO_MUCH }, NO_ROOM),
  fresh(
    'a Secret that is missing, then none needed',
    { schemaRegistry: { external: { url: 'http://registry', secretRef: { name: 'missing' } } } },
    NO_SECRET,
  ),
  fresh('the wrong Postgres, then a managed one', PRIVATE, NO_SECRET),
  {
    name: 'a Secret that is missing, then made',
    wrong: [broken(PRIVATE, NO_SECRET)],
    correct: { ...secret, end: (run) => run.ready() },
    like: { name: 'create with a Secret', before: [secret], steps: [apply('create', PRIVATE)] },
  },
];

/** What can't work is said, and corrected while its pods are broken: the end is as if it had been right at once. */
export const recovery: Kind = {
  name: KIND,
  async run(suite, random) {
    const wanted = CASES.filter(({ name }) => suite.wants(name));
    const chosen = suite.choose(random, wanted, 1).map(async ({ name, wrong, correct, like }) => {
      const { end } = await faultless(suite, like);
      await suite.attempt(KIND, name, async ({ run, harmed, same }) => {
        run.startOperator();
        await play(run, wrong);
        harmed();
        await play(run, [correct]);
        same(await lasting(run, end));
      });
    });
    await Promise.all(chosen);
  },
};

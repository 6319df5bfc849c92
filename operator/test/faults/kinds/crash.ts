import { faultless, lasting, playScenario } from '../faultless.ts';
import type { Run } from '../run.ts';
import { SCENARIOS } from '../scenarios.ts';
import type { Kind } from '../suite.ts';

const KIND = 'crash after a write';

/** Killed once the answer has been handed over, or while it is on its way: then the write is done and nobody knows. */
const FORMS = ['after', 'within'] as const;

type Point = { write: number; form: (typeof FORMS)[number] };

/** Kills the operator at the given write, and starts another. Nothing more of the dead one gets through. */
function crashAt(run: Run, { write, form }: Point, crashed: () => void): void {
  const victim = run.operator;
  let dead = false;
  const crash = () => {
    dead = true;
    victim.signal('SIGKILL');
    crashed();
    // Where this fails the run never gets ready, and says so.
    run.replaceOperator().catch(() => {});
  };
  run.proxy.tap = {
    request: ({ by }) => (dead && by === victim.name ? 'drop' : undefined),
    response: (sent) => {
      if (form !== 'within' || dead || sent.write !== write) return undefined;
      crash();
      return 'lose';
    },
    passed: (sent) => {
      if (form === 'after' && !dead && sent.write === write) crash();
    },
  };
}

/** The operator is killed after every write of every scenario: the end is the same, and nothing was made twice. */
export const crash: Kind = {
  name: KIND,
  async run(suite, random) {
    const wanted = SCENARIOS.filter(({ name }) => suite.wants(name));
    const scenarios = suite.choose(random, wanted, 1).map(async (scenario) => {
      const { reference, writes } = await faultless(suite, scenario);
      const points = Array.from({ length: writes }, (_, index) => index + 1).flatMap((write) =>
        FORMS.map((form) => ({ write, form })),
      );
      await Promise.all(
        suite.choose(random, points, 3).map((point) =>
          suite.attempt(
            KIND,
            `${scenario.name}, ${point.form} write ${point.write}`,
            async ({ run, harmed, same }) => {
              await playScenario(run, scenario, () => crashAt(run, point, harmed));
              same(await lasting(run, reference));
            },
          ),
        ),
      );
    });
    await Promise.all(scenarios);
  },
};

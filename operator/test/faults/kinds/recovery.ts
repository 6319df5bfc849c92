import { faultless } from '../faultless.ts';
import { apply, CREATED, play } from '../scenarios.ts';
import { LEAST, merged } from '../specs.ts';
import { NO_SUCH_IMAGE } from '../stages.ts';
import { withoutHistory } from '../state.ts';
import type { Kind } from '../suite.ts';

const KIND = 'recovery';

type Spec = Record<string, unknown>;
type Case = { name: string; wrong: Spec; says: RegExp };

const TOO_MUCH = { resources: { requests: { memory: '900Ti' }, limits: { memory: '900Ti' } } };

const withImage = (component: string, image: string): Spec => ({ [component]: { managed: { image } } });

const images = ['postgres', 'cassandra', 'schemaRegistry'].map((component) => ({
  name: `an image of ${component} that doesn't exist`,
  wrong: withImage(component, NO_SUCH_IMAGE),
  says: /no such image/,
}));

const memory = (component: string, around: (resources: Spec) => Spec): Case => ({
  name: `more memory for ${component} than the node has`,
  wrong: around(TOO_MUCH),
  says: /Insufficient memory/,
});

const CASES: Case[] = [
  ...images,
  memory('Postgres', (managed) => ({ postgres: { managed } })),
  memory('Cassandra', (managed) => ({ cassandra: { managed } })),
  memory('the ingest', (ingest) => ({ ingest })),
  memory('the Spark driver', (driver) => ({ spark: { driver } })),
  {
    name: 'a Secret that is missing, then none needed',
    wrong: { schemaRegistry: { external: { url: 'http://registry', secretRef: { name: 'missing' } } } },
    says: /Secret missing doesn't exist/,
  },
  {
    name: 'the wrong Postgres, then a managed one',
    wrong: { postgres: { external: { host: 'db', secretRef: { name: 'missing' } } } },
    says: /Secret missing doesn't exist/,
  },
];

/** What can't work is said, and corrected while its pods are broken: the end is as if it had been right at once. */
export const recovery: Kind = {
  name: KIND,
  async run(suite, random) {
    const chosen = suite.choose(random, CASES, 1).map(async (each) => {
      const { end } = await faultless(suite, CREATED);
      await suite.attempt(KIND, each.name, async ({ run, harmed, same }) => {
        run.startOperator();
        await run.apply(merged(LEAST, each.wrong));
        await run.says(each.says);
        harmed();
        await play(run, [apply('correct')]);
        same(end.differences(withoutHistory(await run.state())));
      });
    });
    await Promise.all(chosen);
  },
};

import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../until.ts';
import type { Run } from '../run.ts';
import { LEAST } from '../specs.ts';
import type { Sent, Tap } from '../tap.ts';

/** When the lists were taken that are shown again in the next life of the pipeline. */
export type Moment = 'before anything was made' | 'while it was being deleted';

type Lists = Map<string, string>;

/** How long an operator lives in the past. */
const PAST_MS = 4_000;

const isList = ({ method, path, query }: Sent) =>
  method === 'GET' && !query.has('watch') && /\/namespaces\/[^/]+\/[^/]+$/.test(path);

/** What an operator lists when it starts now; it can't write. */
async function record(run: Run): Promise<Lists> {
  const lists: Lists = new Map();
  run.proxy.tap = {
    request: ({ write }) => (write ? 'drop' : undefined),
    response(sent, answer) {
      if (isList(sent) && answer.code === 200 && !lists.has(sent.path)) lists.set(sent.path, answer.body);
      return undefined;
    },
  };
  run.startOperator();
  await until('the operator has listed pipelines', () =>
    [...lists.keys()].some((path) => path.includes('pipelines')),
  );
  await until('it would write', () => run.proxy.writes > 0);
  await run.stopOperator();
  run.proxy.tap = {};
  run.proxy.restart();
  return lists;
}

/** Shows old lists, and nothing of what came after them until `mend` is called. */
function past(lists: Lists): { tap: Tap; mend(): void } {
  const { promise: mended, resolve: mend } = Promise.withResolvers<void>();
  let over = false;
  const tap: Tap = {
    request(sent) {
      const body = over || !isList(sent) ? undefined : lists.get(sent.path);
      return body === undefined ? undefined : { code: 200, body };
    },
    async *watch(_, lines) {
      await mended;
      yield* lines;
    },
  };
  return {
    tap,
    mend() {
      over = true;
      mend();
    },
  };
}

/** A pipeline is made, deleted and made again; then an operator starts that sees its former life for a while. */
export async function replay(run: Run, moment: Moment, harmed: () => void): Promise<void> {
  await run.apply(LEAST);
  let lists = await record(run);
  run.startOperator();
  await run.ready();
  await run.stopOperator();
  await run.delete();
  if (moment === 'while it was being deleted') lists = await record(run);
  run.startOperator();
  await run.gone();
  await run.apply(LEAST);
  await run.ready();
  await run.stopOperator();
  const { tap, mend } = past(lists);
  run.proxy.tap = tap;
  run.startOperator();
  await until('the operator lives in the past', () =>
    run.proxy.sent.some(({ by }) => by === run.operator.name),
  );
  await sleep(PAST_MS);
  harmed();
  mend();
  run.proxy.stir();
  await run.ready();
}

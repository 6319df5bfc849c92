import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAtExit } from '../processes.ts';
import { playAll } from './play.ts';

type Bug = {
  name: string;
  file: string;
  /** The text to replace, which must stand there once. */
  right: string;
  wrong: string;
  /** The kind, and the case of it, that are to find it; without a case the runs without a fault do. */
  kind: string;
  case: string;
};

export const BUGS: Bug[] = [
  {
    name: 'a create without precondition',
    file: 'reconcile/cluster.ts',
    right: 'live ? asKnown(live) : CREATE_ONLY',
    wrong: 'live ? asKnown(live) : {}',
    kind: 'stale and unobserved',
    case: "a stranger's object under a name",
  },
  {
    name: 'a forgotten requeue',
    file: 'kube/queue.ts',
    right: 'this.addAfter(key, retryMs);',
    wrong: '',
    kind: 'stale and unobserved',
    case: '409 on every 2nd write',
  },
  {
    name: 'a write in every loop',
    file: 'reconcile/status.ts',
    right: 'if (isDeepStrictEqual(object.status, status)) return object;',
    wrong: '',
    kind: 'quiet',
    case: 'a running pipeline',
  },
  {
    name: 'a look every second',
    file: 'reconcile/schedule.ts',
    right: "if (ready?.status === 'True') return conditions.some(isBusy) ? LATER_MS : READY_MS;",
    wrong: "if (ready?.status === 'True') return 1_000;",
    kind: 'stale and unobserved',
    case: 'events that come ten at a time',
  },
  {
    name: 'a delete by name',
    file: 'reconcile/cluster.ts',
    right: '{ preconditions: { uid } });\n  }\n}',
    wrong: '{});\n  }\n}',
    kind: 'stale and unobserved',
    case: "a stranger's object in the place",
  },
  {
    name: 'a status set before the work',
    file: 'reconcile/reconciler.ts',
    right: '  const { seen, provisioned } = await runSteps(context);',
    wrong: `  const early = Object.fromEntries(STAGES.map((stage) => [stage, { ready: true as const }]));
  object = await writeStatus(dependencies, object, { seen: { whole: { ready: true as const }, stages: early } });
  const { seen, provisioned } = await runSteps(context);`,
    kind: 'two replicas',
    case: 'none',
  },
];

const OPERATOR = join(import.meta.dirname, '../..');

/** The file's text with the bug in it. @throws where the text to replace isn't there once */
export function withBug({ name, file, right, wrong }: Bug): string {
  const parts = readFileSync(join(OPERATOR, 'src', file), 'utf8').split(right);
  if (parts.length === 2) return parts.join(wrong);
  throw new Error(
    `"${name}" can't be planted: ${file} holds ${parts.length - 1} times ${right}; bring it up to date`,
  );
}

/** A copy of the operator with the bug in it; answers its main.ts. */
function plant(bug: Bug): string {
  const root = mkdtempSync(join(tmpdir(), 'userstream-planted-'));
  removeAtExit(root);
  cpSync(join(OPERATOR, 'src'), join(root, 'operator/src'), { recursive: true });
  cpSync(join(OPERATOR, 'package.json'), join(root, 'operator/package.json'));
  symlinkSync(join(OPERATOR, '../node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'operator/src', bug.file), withBug(bug));
  return join(root, 'operator/src/main.ts');
}

/** Whether the suite finds the bug. */
async function found(bug: Bug, seed: number): Promise<boolean> {
  const only = { kind: bug.kind, case: bug.case };
  const { divergences } = await playAll({ seed, main: plant(bug), only, log: () => {} });
  return divergences.length > 0;
}

/** Plants bugs in a copy of the operator, one at a time. @returns how many of them the suite does not find */
export async function playPlanted(seed: number, log: (line: string) => void): Promise<number> {
  let missed = 0;
  for (const bug of BUGS) {
    const red = await found(bug, seed);
    log(`  ${red ? '✓ turns red' : '✗ is not found'}: ${bug.name} (${bug.kind})`);
    if (!red) missed += 1;
  }
  return missed;
}

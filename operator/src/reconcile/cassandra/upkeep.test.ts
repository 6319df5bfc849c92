import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  advanced,
  among,
  nextTask,
  readUpkeep,
  type Task,
  UNKNOWN,
  UPKEEP_ANNOTATION,
  type Upkeep,
  type Wanted,
  writeUpkeep,
} from './upkeep.ts';

const NOW = new Date('2026-03-08T00:00:00Z');
const schedule = { since: '2026-03-07T00:00:00Z', intervalMs: 7 * 86_400_000 };
const wanted = { nodes: 3, copies: 3 };

const task = (kind: Task['kind'], node = 0): Task => ({ kind, id: 'begun-before', node, ...wanted });

describe('what a ring needs', () => {
  const cases: { name: string; upkeep: Upkeep; kind: string | undefined; id?: string }[] = [
    { name: 'nothing while it is as it should be', upkeep: { nodes: 3, copies: 3 }, kind: undefined },
    { name: 'its new copies filled', upkeep: { nodes: 3, copies: 2 }, kind: 'fill' },
    { name: 'its new copies before its old rows go', upkeep: { nodes: 1, copies: 1 }, kind: 'fill' },
    { name: 'old rows given up after nodes joined', upkeep: { nodes: 2, copies: 3 }, kind: 'cleanup' },
    {
      name: 'old rows given up where there are fewer copies',
      upkeep: { nodes: 3, copies: 5 },
      kind: 'cleanup',
    },
    { name: 'nothing after a node has left', upkeep: { nodes: 4, copies: 3 }, kind: undefined },
    {
      name: 'a repair when the last one is long ago',
      upkeep: { nodes: 3, copies: 3, repairedAt: '2026-03-01T00:00:00Z' },
      kind: 'repair',
    },
    {
      name: 'no repair before its time',
      upkeep: { nodes: 3, copies: 3, repairedAt: '2026-03-01T00:00:01Z' },
      kind: undefined,
    },
    {
      name: 'what was begun to be gone on with',
      upkeep: { nodes: 3, copies: 3, task: task('repair', 1) },
      kind: 'repair',
      id: 'begun-before',
    },
    {
      name: 'what was begun on a smaller ring to begin anew',
      upkeep: { nodes: 2, copies: 3, task: { ...task('cleanup'), nodes: 2 } },
      kind: 'cleanup',
      id: `cleanup-${NOW.getTime()}`,
    },
  ];
  for (const { name, upkeep, kind, id } of cases) {
    test(name, () => {
      const next = nextTask(upkeep, wanted, NOW, schedule);
      assert.equal(next?.kind, kind);
      if (id) assert.equal(next?.id, id);
    });
  }

  test('a repair where there never was one and the ring is old enough', () => {
    const old = { ...schedule, since: '2026-02-01T00:00:00Z' };
    assert.equal(nextTask({ nodes: 3, copies: 3 }, wanted, NOW, old)?.kind, 'repair');
  });
});

describe('after a node has done its part', () => {
  test('it is the next one’s turn', () => {
    const upkeep = { nodes: 2, copies: 3, task: task('cleanup', 1) };
    assert.deepEqual(advanced(upkeep, upkeep.task, NOW).task, task('cleanup', 2));
  });

  const done = { nodes: 3, copies: 3 };
  const cases: { kind: Task['kind']; before: Upkeep; after: Upkeep }[] = [
    { kind: 'cleanup', before: { nodes: 1, copies: 3 }, after: done },
    { kind: 'fill', before: { nodes: 3, copies: 1 }, after: { ...done, repairedAt: '2026-03-08T00:00:00Z' } },
    { kind: 'repair', before: done, after: { ...done, repairedAt: '2026-03-08T00:00:00Z' } },
  ];
  for (const { kind, before, after } of cases) {
    test(`the last one ends the ${kind}`, () =>
      assert.deepEqual(advanced({ ...before, task: task(kind, 2) }, task(kind, 2), NOW), after));
  }
});

const HOST = 'ce1d882a-219d-40d9-8436-ad051f7c32bd';

describe('a node that is leaving', () => {
  const upkeep: Upkeep = { nodes: 3, copies: 1, leaving: { node: 2, hostId: HOST } };
  test('is remembered while it is there', () => assert.deepEqual(among(upkeep, 3), upkeep));
  test('is forgotten when it is gone, so that the next of its number may stay', () =>
    assert.deepEqual(among(upkeep, 2), { nodes: 2, copies: 1 }));
});

describe('where what was known of a ring with data is lost', () => {
  const ring = (copies: number): Wanted => ({ nodes: 3, copies });
  const first = (copies: number) => nextTask(readUpkeep(undefined, UNKNOWN), ring(copies), NOW, schedule);
  test('all copies are filled at once', () => assert.equal(first(3)?.kind, 'fill'));
  test('what has but one copy is cleaned up', () => assert.equal(first(1)?.kind, 'cleanup'));
  test('each is done once, and the regular repair counts from then', () => {
    const filled = advanced(readUpkeep({}, UNKNOWN), task('fill', 2), NOW);
    const next = nextTask(filled, wanted, NOW, schedule);
    assert.equal(next?.kind, 'cleanup');
    const done = advanced(filled, task('cleanup', 2), NOW);
    assert.deepEqual(done, { nodes: 3, copies: 3, repairedAt: '2026-03-08T00:00:00Z' });
    assert.equal(nextTask(readUpkeep(writeUpkeep(done), UNKNOWN), wanted, NOW, schedule), undefined);
  });
});

describe('an annotation that makes no sense counts as none', () => {
  const cases: { name: string; text: string }[] = [
    { name: 'no JSON', text: 'oops' },
    { name: 'nothing', text: 'null' },
    { name: 'without what must be known', text: '{}' },
  ];
  for (const { name, text } of cases)
    test(name, () => assert.deepEqual(readUpkeep({ [UPKEEP_ANNOTATION]: text }, wanted), wanted));
});

describe('what makes no sense in an annotation is lost alone', () => {
  const known: Upkeep = {
    nodes: 2,
    copies: 1,
    repairedAt: '2026-03-01T00:00:00Z',
    leaving: { node: 1, hostId: HOST },
    task: task('fill', 1),
  };
  const { repairedAt: _at, ...unrepaired } = known;
  const { leaving: _node, ...staying } = known;
  const { task: _task, ...idle } = known;
  const cases: { name: string; wrong: Record<string, unknown>; read: Upkeep }[] = [
    { name: 'a count that is none', wrong: { nodes: null }, read: { ...known, nodes: wanted.nodes } },
    { name: 'a time that is none', wrong: { repairedAt: 'yesterday' }, read: unrepaired },
    { name: 'a node that leaves of which nothing is known', wrong: { leaving: 1 }, read: staying },
    { name: 'a task of a node that there is not', wrong: { task: task('repair', 3) }, read: idle },
    { name: 'a task whose id is a path', wrong: { task: { ...task('fill'), id: '../x' } }, read: idle },
  ];
  for (const { name, wrong, read } of cases)
    test(name, () => {
      const annotations = { [UPKEEP_ANNOTATION]: JSON.stringify({ ...known, ...wrong }) };
      assert.deepEqual(readUpkeep(annotations, wanted), read);
    });
});

test('what is written is read, and a ring of which nothing is said is as it is told to be', () => {
  const upkeep: Upkeep = { nodes: 2, copies: 1, leaving: { node: 1, hostId: HOST }, task: task('fill', 1) };
  assert.deepEqual(readUpkeep(writeUpkeep(upkeep), wanted), upkeep);
  assert.deepEqual(readUpkeep({}, wanted), wanted);
});

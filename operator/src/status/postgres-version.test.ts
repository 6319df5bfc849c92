import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { versionCheck } from './postgres-version.ts';

const container = { name: 'postgres', image: '', imageID: '', ready: false, restartCount: 3 };
const ended = (message: string): V1Pod => ({
  status: { containerStatuses: [{ ...container, lastState: { terminated: { exitCode: 1, message } } }] },
});
const refusing = ended("the volume holds data of Postgres 15, which Postgres 17 can't read, and was left");

const cases: { name: string; has: string; wanted: string; pods?: V1Pod[]; reason?: string }[] = [
  { name: 'the same image', has: 'postgres:15', wanted: 'postgres:15' },
  { name: 'another minor version', has: 'postgres:15.7', wanted: 'postgres:15.8-bookworm@sha256:16ab' },
  {
    name: 'another registry, whose port is no version',
    has: 'registry:5000/postgres:15',
    wanted: 'registry:6000/postgres:15',
  },
  { name: 'a tag that tells no version', has: 'postgres:15', wanted: 'postgres:latest' },
  { name: 'no tag at all', has: 'registry:5000/postgres', wanted: 'postgres:17' },
  { name: 'a newer one', has: 'postgres:15', wanted: 'postgres:17', reason: 'PostgresMajorVersion' },
  {
    name: 'an older one, by a digest too',
    has: 'team/postgres:16.4@sha256:15ab',
    wanted: 'postgres:15',
    reason: 'PostgresMajorVersion',
  },
  {
    name: 'a newer one while the pod fails for another reason',
    has: 'postgres:15',
    wanted: 'postgres:17',
    pods: [ended('out of memory')],
    reason: 'PostgresMajorVersion',
  },
  {
    name: 'the way back from one that refused the data',
    has: 'postgres:17',
    wanted: 'postgres:15',
    pods: [refusing],
  },
];

describe('the image of a Postgres that holds data may become', () => {
  for (const { name, has, wanted, pods = [], reason } of cases) {
    test(`${name}${reason ? ': no' : ''}`, () => {
      const check = versionCheck(has, wanted, pods);
      assert.equal(check.reason, reason);
      assert.equal(check.ready || (check.stuck === true && check.holds === false), true);
    });
  }

  test('what it can not is told with the way round', () => {
    const { message } = versionCheck('postgres:15', 'postgres:17', []);
    assert.match(
      message ?? '',
      /goes on as postgres:15: postgres:17.*images\.postgres.*set it back.*restore it/,
    );
  });
});

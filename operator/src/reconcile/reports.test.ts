import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { reportsOf } from './reports.ts';

/** Nobody listens there. */
const SILENT = '127.0.0.2';

function pod(name: string, podIP: string, ready = true, phase = 'Running'): V1Pod {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  return { metadata: { name }, status: { phase, podIP, conditions } };
}

describe('what the workers say, as far as they can be asked', () => {
  let worker: Server;
  let port: number;

  before(async () => {
    const answer = { ready: true, stage: 'Worker', reason: 'Running', message: '' };
    worker = createServer((_, response) => response.end(JSON.stringify(answer)));
    await once(worker.listen(0, '127.0.0.1'), 'listening');
    port = (worker.address() as AddressInfo).port;
  });
  after(() => {
    worker.closeAllConnections();
    worker.close();
  });

  const cases: { name: string; pods: V1Pod[]; expected: string[] }[] = [
    { name: 'is what they answer', pods: [pod('relay', '127.0.0.1')], expected: ['Running'] },
    {
      name: 'is unknown where none of the ready ones answers',
      pods: [pod('relay-1', SILENT), pod('relay-0', SILENT, false), pod('spark-0', SILENT)],
      expected: ['ReportsUnreachable'],
    },
    {
      name: 'is known of the others where one is busy',
      pods: [pod('relay', '127.0.0.1'), pod('spark-0', SILENT)],
      expected: ['Running'],
    },
    { name: 'is nothing where nobody is ready', pods: [pod('relay', SILENT, false)], expected: [] },
    { name: 'is nothing where nobody runs', pods: [pod('relay', SILENT, true, 'Failed')], expected: [] },
  ];
  for (const { name, pods, expected } of cases)
    test(name, async () => {
      const reports = await reportsOf(pods, port);
      assert.deepEqual(
        reports.map(({ reason }) => reason),
        expected,
      );
    });

  test('names where it asked, the same pod each time, and the way out', async () => {
    const pods = [pod('b', '127.0.0.3'), pod('a', SILENT)];
    for (const order of [pods, pods.toReversed()]) {
      const [told] = await reportsOf(order, port);
      assert.match(
        told?.message ?? '',
        /2 workers .* http:\/\/127\.0\.0\.2:\d+\/readyz.*TCP 8080, past NetworkPol/,
      );
    }
  });
});

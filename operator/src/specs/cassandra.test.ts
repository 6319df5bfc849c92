import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cassandraObjects } from './cassandra.ts';
import { CONTEXT, fullPipeline, podTemplates } from './testing.ts';

type Node = { ordinal: number; founder?: boolean; data?: boolean; second: boolean };

/** What the start script would begin Cassandra with: `java` only tells its arguments, `getent` knows what the case says. */
function begun({ ordinal, founder = false, data = false, second }: Node) {
  const home = mkdtempSync(join(tmpdir(), 'userstream-cassandra-'));
  try {
    const [config] = cassandraObjects(fullPipeline(), CONTEXT);
    for (const directory of ['bin', 'etc', 'lib', 'volume', ...(data ? ['volume/data'] : [])])
      mkdirSync(join(home, directory));
    const moved = (text: string) =>
      text
        .replaceAll('/etc/cassandra', `${home}/etc`)
        .replaceAll('/var/lib/cassandra', `${home}/volume`)
        .replaceAll('/tmp/conf', `${home}/conf`)
        .replaceAll('/opt/cassandra/lib', `${home}/lib`);
    for (const [name, text] of Object.entries(config?.['data'] as Record<string, string>)) {
      writeFileSync(join(home, 'etc', name), moved(text));
    }
    const program = (name: string, text: string) =>
      writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program('java', 'echo "$@"');
    program('getent', second ? 'echo 10.0.0.2' : 'exit 2');
    writeFileSync(join(home, 'lib', 'jamm-0.jar'), '');
    if (founder) writeFileSync(join(home, 'volume', 'founder'), '');
    const env = {
      PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
      POD_NAME: `people-cassandra-${ordinal}`,
      POD_IP: '10.0.0.9',
    };
    const args = execFileSync('sh', [join(home, 'etc', 'start.sh')], { env, encoding: 'utf8' });
    const yaml = readFileSync(join(home, 'conf', 'cassandra.yaml'), 'utf8');
    return {
      seeds: /"seeds":"([^"]*)"/.exec(yaml)?.[1],
      atOnce: args.includes('skip_wait_for_gossip_to_settle=0'),
      yaml,
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const FIRST = 'people-cassandra-0.people-cassandra.team.svc';
const SECOND = 'people-cassandra-1.people-cassandra.team.svc';

describe('a node of Cassandra', () => {
  const cases: (Node & { name: string; seeds: string; atOnce: boolean })[] = [
    {
      name: 'that is the first on an empty volume founds the ring, at once',
      ordinal: 0,
      second: false,
      seeds: `10.0.0.9,${SECOND}`,
      atOnce: true,
    },
    {
      name: 'that founded it starts at once while it is alone',
      ordinal: 0,
      founder: true,
      data: true,
      second: false,
      seeds: `10.0.0.9,${SECOND}`,
      atOnce: true,
    },
    {
      name: 'that founded it waits for the others where there are any',
      ordinal: 0,
      founder: true,
      data: true,
      second: true,
      seeds: `10.0.0.9,${SECOND}`,
      atOnce: false,
    },
    {
      name: 'that lost its volume takes its data from the others',
      ordinal: 0,
      second: true,
      seeds: SECOND,
      atOnce: false,
    },
    {
      name: 'that is the second never is its own seed',
      ordinal: 1,
      second: true,
      seeds: FIRST,
      atOnce: false,
    },
    {
      name: 'that comes later asks the first two',
      ordinal: 12,
      second: true,
      seeds: `${FIRST},${SECOND}`,
      atOnce: false,
    },
  ];
  for (const { name, seeds, atOnce, ...node } of cases) {
    test(name, () => {
      const found = begun(node);
      assert.deepEqual([found.seeds, found.atOnce], [seeds, atOnce]);
    });
  }

  test('is not restarted by a change of the copies or of the number of nodes', () => {
    const template = (cassandra: object) =>
      podTemplates(cassandraObjects(fullPipeline({ cassandra }), CONTEXT))[0]?.template;
    const before = template({ replicationFactor: 1, managed: { replicas: 1 } });
    assert.deepEqual(template({ replicationFactor: 3, managed: { replicas: 5 } }), before);
  });

  test('knows its own address', () => {
    const { yaml } = begun({ ordinal: 0, second: false });
    assert.match(yaml, /"listen_address": "10\.0\.0\.9"/);
    assert.doesNotMatch(yaml, /@/);
  });
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import {
  isRoot,
  NOBODY,
  postgresEnvironment,
  unprivileged,
} from '../../../workers/test/postgres-programs.ts';
import { auditSecret } from './audit.ts';
import { postgresObjects, postgresSecret } from './postgres.ts';
import { fullPipeline, IMAGES } from './testing.ts';

const START_MS = 60_000;

/** The ConfigMap's files and the Secret's values as the pod sees them, under a directory of this test's own. */
function layOut(home: string, port: number): void {
  const [config] = postgresObjects(fullPipeline(), { images: IMAGES });
  for (const [name, text] of Object.entries(config?.['data'] as Record<string, string>)) {
    const moved = text
      .replaceAll('/etc/postgres', `${home}/postgres`)
      .replaceAll('/var/run/postgresql', home)
      .replace("listen_addresses = '*'", "listen_addresses = '127.0.0.1'")
      .replace('port = 5432', `port = ${port}`);
    writeFileSync(join(home, 'postgres', name), moved);
  }
}

const auditPassword = ({ password }: { password: string }) => `audit's ${password}`;

function writeSecret(home: string, passwords: { password: string; superuserPassword: string }): void {
  const audit = auditSecret(fullPipeline(), { password: auditPassword(passwords) });
  const secrets = { 'postgres-secret': postgresSecret(fullPipeline(), passwords), 'postgres-audit': audit };
  for (const [directory, secret] of Object.entries(secrets)) {
    for (const [key, value] of Object.entries(secret['data'] as Record<string, string>)) {
      writeFileSync(join(home, directory, key), Buffer.from(value, 'base64'));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

class Pod {
  readonly home: string;
  port = 0;
  log = '';
  #env: NodeJS.ProcessEnv = {};
  #process: ChildProcess | undefined;

  constructor(home = mkdtempSync(join(tmpdir(), 'userstream-postgres-pod-'))) {
    this.home = home;
  }

  /** A pod on the same volume. */
  successor(): Pod {
    const pod = new Pod(this.home);
    pod.port = this.port;
    pod.#env = this.#env;
    return pod;
  }

  async prepare(): Promise<void> {
    this.#env = await postgresEnvironment();
    this.port = await freePort();
    for (const directory of ['postgres', 'postgres-secret', 'postgres-audit', 'data'])
      mkdirSync(join(this.home, directory));
    layOut(this.home, this.port);
    for (const path of [this.home, join(this.home, 'data')]) {
      if (isRoot()) chownSync(path, NOBODY, NOBODY);
    }
  }

  start(): void {
    const script = unprivileged('KILL', 'sh', [join(this.home, 'postgres', 'start.sh')]);
    // As in a pod, the script is process 1.
    const inPod = [...(isRoot() ? [] : ['--user']), '--pid', '--fork', '--kill-child', ...script];
    const child = spawn('unshare', inPod, {
      cwd: this.home,
      env: { ...this.#env, PGDATA: join(this.home, 'data', 'pgdata') },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.log += text));
    this.#process = child;
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const [first = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
    process.kill(Number(first), signal);
    await exited;
  }

  /** Waits until it ends by itself. */
  async exitCode(): Promise<number | null | undefined> {
    if (this.#process?.exitCode === null) await once(this.#process, 'exit');
    return this.#process?.exitCode;
  }

  client(user: string, password: string, database = 'userstream'): Client {
    return new Client({ host: '127.0.0.1', port: this.port, user, password, database });
  }

  /** Waits until the user gets in; fails with the log at the deadline. */
  async connected(user: string, password: string, database?: string): Promise<Client> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const client = this.client(user, password, database);
      try {
        await client.connect();
        return client;
      } catch (error) {
        await client.end().catch(() => {});
        const ended = this.#process?.exitCode !== null;
        if (ended || Date.now() > deadline) throw new Error(`${error}; the log:\n${this.log}`);
        await pause(100);
      }
    }
  }
}

describe("a managed Postgres's start script", () => {
  const first = { password: 'it\'s 100% "odd" \\ p$HOME', superuserPassword: 'super-one' };
  const second = { password: 'second', superuserPassword: 'super-two' };
  const pod = new Pod();

  before(() => pod.prepare());
  afterEach(() => pod.stop());
  after(() => rmSync(pod.home, { recursive: true, force: true }));

  test('takes up a first start that was cut off, and makes a database that can be replicated from', async () => {
    const leftover = join(pod.home, 'data', 'pgdata.new');
    mkdirSync(leftover);
    writeFileSync(join(leftover, 'PG_VERSION'), '15');
    if (process.getuid?.() === 0) chownSync(leftover, NOBODY, NOBODY);
    writeSecret(pod.home, first);
    pod.start();
    const client = await pod.connected('userstream', first.password);
    const { rows } = await client.query(
      "SELECT current_setting('wal_level') AS wal, pg_catalog.pg_get_userbyid(datdba) AS owner, current_setting('max_slot_wal_keep_size') AS kept FROM pg_database WHERE datname = 'userstream'",
    );
    assert.deepEqual(rows, [{ wal: 'logical', owner: 'userstream', kept: '2GB' }]);
    await client.query("SELECT pg_create_logical_replication_slot('a_slot', 'pgoutput')");
    await client.query('CREATE TABLE kept (id int)');
    await client.end();
    await (await pod.connected('postgres', first.superuserPassword, 'postgres')).end();
    await (await pod.connected('userstream_audit', auditPassword(first))).end();
  });

  test("sets the Secret's new passwords on the next start, also after a crash, and keeps the data", async () => {
    pod.start();
    await (await pod.connected('userstream', first.password)).end();
    await pod.stop('SIGQUIT');
    writeSecret(pod.home, second);
    pod.start();
    const client = await pod.connected('userstream', second.password);
    const { rows } = await client.query(
      "SELECT to_regclass('kept')::text AS kept, (SELECT count(*)::int FROM pg_replication_slots) AS slots",
    );
    assert.deepEqual(rows, [{ kept: 'kept', slots: 1 }]);
    await client.end();
    await (await pod.connected('postgres', second.superuserPassword, 'postgres')).end();
    await (await pod.connected('userstream_audit', auditPassword(second))).end();
    await assert.rejects(
      pod.client('userstream', first.password).connect(),
      /password authentication failed/,
    );
  });

  test('comes back after it was killed', async () => {
    pod.start();
    await (await pod.connected('userstream', second.password)).end();
    await pod.stop('SIGKILL');
    pod.start();
    await (await pod.connected('userstream', second.password)).end();
  });

  test('waits for the end of one that another pod left behind', async () => {
    pod.start();
    await (await pod.connected('userstream', second.password)).end();
    const successor = pod.successor();
    successor.start();
    const waits = async () => {
      while (!successor.log.includes('another Postgres still works on the volume')) await pause(50);
    };
    await waits();
    await pod.stop('SIGKILL');
    await (await successor.connected('userstream', second.password)).end();
    await successor.stop();
  });

  test('leaves the data of another major version as it is, and says what to do', async () => {
    const version = join(pod.home, 'data', 'pgdata', 'PG_VERSION');
    const before = readFileSync(version, 'utf8');
    writeFileSync(version, '14\n');
    pod.start();
    assert.equal(await pod.exitCode(), 1);
    assert.match(
      pod.log,
      /data of Postgres 14, which Postgres \d+ can't read.*set postgres.managed.image back/,
    );
    assert.equal(readFileSync(version, 'utf8'), '14\n');
    writeFileSync(version, before);
    pod.start();
    await (await pod.connected('userstream', second.password)).end();
  });

  test('never logs a password', () => {
    for (const password of [...Object.values(first), ...Object.values(second)]) {
      assert.ok(!pod.log.includes(password), `${password} in:\n${pod.log}`);
    }
  });
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Credentials, Sections } from '../lib/config.ts';
import { postgresClient } from '../lib/postgres.ts';
import { temporaryDirectory } from './directory.ts';
import { isRoot, NOBODY, postgresEnvironment, unprivileged } from './postgres-programs.ts';
import { freePort, until } from './wait.ts';

export type TestPostgres = {
  section: Sections['postgres'];
  /** The pipeline's role: owns the database, may replicate. */
  credentials: Credentials;
  superuser: Credentials;
  /** Shuts the server down, keeping its data; `start` brings it back on the same port. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Copies the data of a server that is shut down; the function that it answers puts the copy in their place. */
  backup(): Promise<() => Promise<void>>;
  /** Shuts the server down and removes its data. */
  stop(): Promise<void>;
};

const credentials = { username: 'userstream', password: 'test-password' };
const superuser = { username: 'postgres', password: 'test-superuser' };

/** A throwaway Postgres on a free loopback port, with logical decoding, and an empty database `userstream`. */
export async function startPostgres(): Promise<TestPostgres> {
  const env = await postgresEnvironment();
  const home = await temporaryDirectory('postgres');
  try {
    const data = await initialise(home.path, env);
    const server = new Server(home.path, data, env, await freePort());
    await server.start();
    await createDatabase(server.section);
    return {
      section: server.section,
      credentials,
      superuser,
      halt: () => server.halt(),
      start: () => server.start(),
      backup: () => backup(data),
      stop: async () => {
        await server.halt();
        await home.remove();
      },
    };
  } catch (error) {
    await home.remove();
    throw error;
  }
}

class Server {
  readonly section: Sections['postgres'];
  readonly #home: string;
  readonly #data: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | undefined;

  constructor(home: string, data: string, env: NodeJS.ProcessEnv, port: number) {
    this.#home = home;
    this.#data = data;
    this.#env = env;
    this.section = {
      host: '127.0.0.1',
      port,
      database: 'userstream',
      tls: false,
      publication: 'userstream',
      slot: 'userstream',
    };
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: this.section.host,
      port: this.section.port,
      unix_socket_directories: this.#home,
      wal_level: 'logical',
      max_wal_senders: 10,
      max_replication_slots: 10,
      fsync: 'off',
      max_slot_wal_keep_size: '256MB',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, ...args] = unprivileged('INT', 'postgres', ['-D', this.#data, ...options]);
    const child = spawn(command, args, {
      cwd: this.#home,
      env: this.#env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
    });
    this.#process = child;
    await until('Postgres to accept connections', async () => {
      if (child.exitCode !== null) throw new Error(`Postgres ended at once:\n${output}`);
      return connects({ ...this.section, database: 'postgres' });
    });
  }

  /** A fast shutdown (SIGINT): open transactions are rolled back, replication clients are sent away. */
  async halt(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'exit');
  }
}

async function backup(data: string): Promise<() => Promise<void>> {
  const copy = `${data}.backup`;
  const run = promisify(execFile);
  await rm(copy, { recursive: true, force: true });
  await run('cp', ['--archive', data, copy]);
  return async () => {
    await rm(data, { recursive: true });
    await run('cp', ['--archive', copy, data]);
  };
}

async function initialise(home: string, env: NodeJS.ProcessEnv): Promise<string> {
  const passwordFile = join(home, 'password');
  const data = join(home, 'data');
  await writeFile(passwordFile, superuser.password);
  if (isRoot()) for (const path of [home, passwordFile]) await chown(path, NOBODY, NOBODY);
  const options = ['--no-sync', '--encoding=UTF8', '--locale=C.UTF-8', '--auth=scram-sha-256'];
  const [command, ...args] = unprivileged('INT', 'initdb', [
    ...options,
    `--username=${superuser.username}`,
    `--pwfile=${passwordFile}`,
    `--pgdata=${data}`,
  ]);
  await promisify(execFile)(command, args, { cwd: home, env });
  return data;
}

async function createDatabase(section: Sections['postgres']) {
  const client = new pg.Client(postgresClient({ ...section, database: 'postgres' }, superuser));
  await client.connect();
  await client.query(`CREATE ROLE userstream LOGIN REPLICATION PASSWORD '${credentials.password}'`);
  await client.query('CREATE DATABASE userstream OWNER userstream');
  await client.end();
}

async function connects(section: Sections['postgres']): Promise<boolean> {
  const client = new pg.Client(postgresClient(section, superuser));
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

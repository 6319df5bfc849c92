// The node's init: started by machine.ts inside the node's own network, mount and process namespaces. It makes the place
// that kubelet and containerd expect, then keeps the node's processes running until it is ended itself.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NETWORK } from './network.ts';
import { type Layout, type Process, processes } from './processes.ts';

const RESTART_AFTER_MS = 1000;

/** Kernel settings that kubelet wants and that belong to the whole machine, with the values it looks for. */
const maskedSettings = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

/** The host's file system, but with its own /run, /var/log and /var/lib, of which only what a cluster needs is left. */
function makeMounts({ state, binaries, debian }: Layout): void {
  mount('-t', 'tmpfs', 'run', '/run');
  hideAllBut('/var/lib', [state, binaries, debian]);
  mount('--make-rshared', '/'); // within this namespace: what kubelet mounts must be seen by containers
  mkdirSync('/run/netns');
  mkdirSync(join(state, 'logs', 'containers'), { recursive: true });
  mount('--bind', join(state, 'logs'), '/var/log');
  for (const [setting, value] of Object.entries(maskedSettings)) mask(setting, value);
}

function hideAllBut(directory: string, paths: string[]): void {
  const kept = paths.filter((path) => path.startsWith(`${directory}/`));
  const aside = (index: number) => join('/run', `kept-${index}`);
  kept.forEach((path, index) => {
    mkdirSync(aside(index));
    mount('--bind', path, aside(index));
  });
  mount('-t', 'tmpfs', 'empty', directory);
  kept.forEach((path, index) => {
    mkdirSync(path, { recursive: true });
    mount('--move', aside(index), path);
  });
}

/** Lets kubelet see the value it wants where the host's stays as it is. */
function mask(setting: string, value: number): void {
  const file = join('/run', setting.replaceAll('/', '-'));
  writeFileSync(file, `${value}\n`);
  mount('--bind', file, join('/proc/sys', setting));
}

function makeNetwork(): void {
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'node', 'type', 'bridge');
  ip('address', 'add', `${NETWORK.node}/32`, 'dev', 'node');
  ip('link', 'set', 'node', 'up');
  ip('route', 'add', NETWORK.services, 'dev', 'node'); // kube-proxy's rules take these packets elsewhere
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', '1'); // a Service's pod may be on the same bridge
}

/** Runs a process for as long as this one lives: whatever its end, it is started again. */
async function keepRunning({ name, command, args }: Process, logs: string): Promise<void> {
  for (;;) {
    const log = openSync(join(logs, `${name}.log`), 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    const { promise, resolve } = Promise.withResolvers<string>();
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(`${signal ?? code}`));
    console.log(`${new Date().toISOString()} ${name} ended with ${await promise}, starting it again`);
    await sleep(RESTART_AFTER_MS);
  }
}

const mount = (...args: string[]) => execFileSync('mount', args);
const ip = (...args: string[]) => execFileSync('ip', args);

const state = process.argv[2] ?? '';
const layout: Layout = JSON.parse(readFileSync(join(state, 'cluster.json'), 'utf8'));
makeMounts(layout);
makeNetwork();
await Promise.all(processes(layout).map((program) => keepRunning(program, join(state, 'logs'))));

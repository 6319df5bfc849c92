import { readdirSync, readFileSync } from 'node:fs';

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Holds a pod's network, and nothing else. */
const HOLDER = 'pause';

const nameOf = (pid: number) => read(`/proc/${pid}/comm`)?.trim();

function allOf(podUid: string): number[] {
  // The kubelet names a pod's cgroup after its uid.
  const pattern = new RegExp(`pod${podUid.replaceAll('-', '[-_]')}`);
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => pattern.test(read(`/proc/${pid}/cgroup`) ?? ''))
    .map(Number);
}

/** The processes of a pod on this machine, but the one that holds its network. */
export function processesOf(podUid: string): number[] {
  return allOf(podUid).filter((pid) => nameOf(pid) !== HOLDER);
}

/** The process that holds a pod's network, also while its containers are away; undefined where the pod is gone. */
export function networkOf(podUid: string): number | undefined {
  return allOf(podUid).find((pid) => nameOf(pid) === HOLDER);
}

/** A process's arguments and environment, and the most memory in bytes that its cgroup allows it. */
export function lookInto(pid: number): { args: string[]; env: string[]; memoryLimit: number } {
  const words = (file: string) => (read(`/proc/${pid}/${file}`) ?? '').split('\0').filter(Boolean);
  const groups = read(`/proc/${pid}/cgroup`) ?? '';
  const legacy = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
  const unified = /^0::(.*)$/m.exec(groups)?.[1];
  const limit =
    (legacy && read(`/sys/fs/cgroup/memory${legacy}/memory.limit_in_bytes`)) ??
    read(`/sys/fs/cgroup${unified}/memory.max`);
  return { args: words('cmdline'), env: words('environ'), memoryLimit: Number(limit) };
}

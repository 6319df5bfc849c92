import { readdirSync, readFileSync } from 'node:fs';

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** The processes of a pod on this machine, but the one that holds its network. */
export function processesOf(podUid: string): number[] {
  // The kubelet names a pod's cgroup after its uid.
  const pattern = new RegExp(`pod${podUid.replaceAll('-', '[-_]')}`);
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => pattern.test(read(`/proc/${pid}/cgroup`) ?? ''))
    .filter((pid) => read(`/proc/${pid}/comm`)?.trim() !== 'pause')
    .map(Number);
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

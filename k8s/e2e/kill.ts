import { readdirSync, readFileSync } from 'node:fs';

function processesOf(podUid: string): number[] {
  // The kubelet names a pod's cgroup after its uid.
  const pattern = new RegExp(`pod${podUid.replaceAll('-', '[-_]')}`);
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return pattern.test(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
      } catch {
        return false;
      }
    })
    .map(Number);
}

function isPause(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'pause';
}

/**
 * Kills every process of a pod on this machine with SIGKILL, but the one that holds its network: a crash, of which
 * nobody is told beforehand.
 * @returns how many were killed
 */
export function crash(podUid: string): number {
  const victims = processesOf(podUid).filter((pid) => !isPause(pid));
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  return victims.length;
}

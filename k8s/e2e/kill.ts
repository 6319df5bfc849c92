import { processesOf } from './processes.ts';

/**
 * Kills every process of a pod on this machine with SIGKILL, but the one that holds its network: a crash, of which
 * nobody is told beforehand.
 * @returns how many were killed
 */
export function crash(podUid: string): number {
  return killAll(processesOf(podUid));
}

/** Kills processes that were looked up before, so that it takes no time; says how many of them were still there. */
export function killAll(pids: readonly number[]): number {
  return pids.filter(isKilled).length;
}

function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // it ended meanwhile, or with its parent
  }
}

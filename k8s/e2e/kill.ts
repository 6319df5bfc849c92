import { processesOf } from './processes.ts';

/**
 * Kills every process of a pod on this machine with SIGKILL, but the one that holds its network: a crash, of which
 * nobody is told beforehand.
 * @returns how many were killed
 */
export function crash(podUid: string): number {
  const victims = processesOf(podUid);
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  return victims.length;
}

import { readdirSync, readFileSync } from 'node:fs';

/** What /proc counts time in. */
const TICKS_A_SECOND = 100;

type Process = { pid: number; parent: number; seconds: number };

/** A process as /proc/PID/stat shows it; undefined where it has ended. */
function processOf(pid: string): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything.
    const [, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system] = rest.slice(9).map(Number);
    return {
      pid: Number(pid),
      parent: Number(parent),
      seconds: ((user ?? 0) + (system ?? 0)) / TICKS_A_SECOND,
    };
  } catch {
    return undefined;
  }
}

/** The CPU time, in seconds, that this process and those it has started have used so far. */
function cpuSeconds(): number {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processOf(name) ?? []) : []));
  const ours = all.filter(({ pid, parent }) => pid === process.pid || parent === process.pid);
  return ours.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** How long something took, and the CPU time of all that took part in it. */
export type Time = { seconds: number; cpuSeconds: number };

/** Does something and says how long it took. */
export async function timed(does: () => Promise<unknown>): Promise<Time> {
  const [began, used] = [performance.now(), cpuSeconds()];
  await does();
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: cpuSeconds() - used };
}

import { readFile } from 'node:fs/promises';

export type Usage = { cpuSeconds: number; peakBytes: number };

/** Linux counts a process's time in these, whatever the kernel's own clock. */
const TICKS_A_SECOND = 100;

/** What a process has used since it began: seconds of all its threads on a CPU, and its largest resident memory. */
export async function usageOf(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, which may hold anything, ends with the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  const peak = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  return { cpuSeconds: (user + system) / TICKS_A_SECOND, peakBytes: Number(peak?.[1] ?? 0) * 1024 };
}

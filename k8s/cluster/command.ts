/** The cluster that a command is about: `USERSTREAM_CLUSTER`, or the one and only. */
export function clusterName(env: NodeJS.ProcessEnv): string {
  return env['USERSTREAM_CLUSTER'] || 'userstream';
}

/** Says what is wrong, a line each, and ends the program. */
export function exitWith(lines: string[]): never {
  for (const line of lines) console.error(line);
  process.exit(1);
}

/** Runs a command's work; an error is its message and exit code 1, not a stack. */
export async function main(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    exitWith(['', error instanceof Error ? error.message : String(error)]);
  }
}

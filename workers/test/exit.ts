// What a test process must undo even when it is interrupted: an ordinary `after` doesn't run then.

const chores = new Set<() => void>();

/** Runs `chore` (synchronous) when the process ends, by SIGINT or SIGTERM too, unless the answer is called before. */
export function atExit(chore: () => void): () => void {
  if (chores.size === 0) listen();
  chores.add(chore);
  return () => chores.delete(chore);
}

let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  process.once('exit', () => {
    // The last first: a server before its directory.
    for (const chore of [...chores].reverse()) chore();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

/** Resolves once `check` answers true; throws after `ms`, naming what was waited for and what `state` shows then. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  { ms = 15_000, state }: { ms?: number; state?: () => unknown } = {},
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${ms} ms in vain until ${what}${state ? `: ${JSON.stringify(state())}` : ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

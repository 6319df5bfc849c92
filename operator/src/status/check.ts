/**
 * What a look at one part says. What is ready may say what goes on in it all the same. `stuck`: only a person can mend
 * it, so waiting is of no use. `holds`: false where the part works all the same, so that nothing after it has to wait.
 */
export type Check =
  | { ready: true; reason?: string; message?: string }
  | { ready: false; reason: string; message: string; stuck?: boolean; holds?: false };

/** A check of what is not ready. */
export type Fault = Extract<Check, { ready: false }>;

export const READY: Check = { ready: true };

export function notReady(reason: string, message: string): Fault {
  return { ready: false, reason, message };
}

export function stuck(reason: string, message: string): Fault {
  return { ready: false, reason, message, stuck: true };
}

/** The first check that is not ready, which holds where any such does; else the first that says something; else READY. */
export function firstFault(checks: Check[]): Check {
  const faults = checks.filter((check) => !check.ready);
  const [first] = faults;
  if (!first) return checks.find((check) => check.reason) ?? READY;
  const { holds: _, ...holding } = first;
  return faults.some(({ holds }) => holds !== false) ? holding : first;
}

/** As `firstFault`, but what only a person can mend goes before the rest. */
export function worst(checks: Check[]): Check {
  const isStuck = (check: Check) => !check.ready && check.stuck === true;
  return firstFault([...checks.filter(isStuck), ...checks.filter((check) => !isStuck(check))]);
}

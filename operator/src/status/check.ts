/**
 * What a look at one part says. What is ready may say what goes on in it all the same. `stuck`: only a person can mend
 * it, so waiting is of no use.
 */
export type Check =
  | { ready: true; reason?: string; message?: string }
  | { ready: false; reason: string; message: string; stuck?: boolean };

export const READY: Check = { ready: true };

export function notReady(reason: string, message: string): Check {
  return { ready: false, reason, message };
}

export function stuck(reason: string, message: string): Check {
  return { ready: false, reason, message, stuck: true };
}

/** The first check that is not ready; else the first that has something to say; else READY. */
export function firstFault(checks: Check[]): Check {
  return checks.find((check) => !check.ready) ?? checks.find((check) => check.reason) ?? READY;
}

/**
 * What became of a change: refused by the API server, or by a rule that lets nobody make such a change; called stuck by the
 * status; in a child object; read by the operator; or no change at all.
 */
export type Outcome = 'refused' | 'forbidden' | 'stuck' | 'reached' | 'read' | 'the same';

export type Tried = { how: string; outcome: Outcome };

const TAKEN: Outcome[] = ['reached', 'read', 'stuck'];

/** In the API server's words: what can't be changed once there is data, and what is no choice of an enum. */
const RULE = /: (Forbidden|Unsupported value): /;

/** What it means that the API server refuses a change in these words. */
export function refusal(message: string): Outcome {
  return RULE.test(message) ? 'forbidden' : 'refused';
}

/** Whether a change of a property was taken and had an effect, or it is a rule that it can't be changed. */
export function isCovered(tried: Tried[]): boolean {
  if (tried.some(({ outcome }) => TAKEN.includes(outcome))) return true;
  const changes = tried.filter(({ how }) => how === 'changed');
  return changes.length > 0 && changes.every(({ outcome }) => outcome === 'forbidden');
}

/** The score of all properties that hold a value, given what was tried on some of them. */
export function coverage(properties: string[], tried: Map<string, Tried[]>): string {
  const triedOn = (property: string) => tried.get(property) ?? [];
  const covered = properties.filter((property) => isCovered(triedOn(property)));
  const answered = properties.filter((property) =>
    triedOn(property).some(({ outcome }) => outcome !== 'the same'),
  );
  const open = properties.filter((property) => tried.has(property) && !covered.includes(property));
  const count = (...wanted: Outcome[]) =>
    [...tried.values()].flat().filter(({ outcome }) => wanted.includes(outcome)).length;
  const share = (some: string[]) =>
    `${some.length} of ${properties.length} (${Math.floor((100 * some.length) / properties.length)} %)`;
  return [
    `properties that hold a value: ${share(covered)} had a change take effect, or a rule lets nobody change them;`,
    `${share(answered)} had any change answered, were it by a refusal;`,
    `${count('reached')} changes reached a child object, ${count('refused', 'forbidden', 'stuck')} were rejected with a message`,
    ...(open.length > 0 ? [`\nwithout effect: ${open.join(', ')}`] : []),
  ].join(' ');
}

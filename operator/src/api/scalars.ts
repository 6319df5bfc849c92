import { z } from 'zod';

const DURATION = /^([1-9][0-9]{0,8})(ms|s|m|h|d)$/;
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type Rule = { rule: string; message: string };

/** A positive duration, a number and a unit: `500ms`, `10s`, `5m`, `168h`, `7d`. `rules` are its CEL rules. */
export function duration(description: string, ...rules: Rule[]) {
  return z
    .string()
    .max(12)
    .regex(DURATION, 'must be a number and a unit: 500ms, 10s, 5m, 168h, 7d')
    .meta({ description, ...(rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}) });
}

/** A CEL expression that holds where a duration compares so with `ms` milliseconds. */
function compared(sign: '<=' | '>=', ms: number): string {
  const bounds = Object.entries(UNITS).map(([unit, length]) => `'${unit}': ${Math.ceil(ms / length)}`);
  return `int(self.find('^[0-9]+')) ${sign} {${bounds.join(', ')}}[self.find('[a-z]+$')]`;
}

/** The CEL rule that a duration is at least so long. */
export function atLeastFor(least: string, why: string): Rule {
  return { rule: compared('>=', milliseconds(least)), message: `must be at least ${least}: ${why}` };
}

const LONGEST_DAYS = 366;
const AT_MOST: Rule = {
  rule: compared('<=', LONGEST_DAYS * 86_400_000),
  message: `must be at most ${LONGEST_DAYS}d (${LONGEST_DAYS * 24}h)`,
};

/** Time between two runs of something: a duration whose sums, in microseconds too, every component can reckon with. */
export function interval(description: string, ...rules: Rule[]) {
  return duration(description, AT_MOST, ...rules);
}

/** A duration of the resource in milliseconds. @throws {RangeError} on text that `duration` doesn't accept. */
export function milliseconds(text: string): number {
  const match = DURATION.exec(text);
  const unit = match?.[2];
  if (!match || !unit) throw new RangeError(`"${text}" is not a duration such as 500ms, 10s, 5m, 168h or 7d`);
  return Number(match[1]) * (UNITS[unit] ?? 1);
}

const QUANTITY = /^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$/;

/** A Kubernetes quantity, as text or a bare number. */
export function quantity(description: string) {
  return z.union([z.int().min(0), z.string().max(32).regex(QUANTITY)]).meta({
    description,
    'x-kubernetes-int-or-string': true,
    pattern: QUANTITY.source,
    maxLength: 32,
  });
}

const SUFFIXES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Any of Kubernetes' quantities as a number in its base unit: bytes, or CPUs. @throws {RangeError} on other text. */
export function quantityValue(value: string | number): number {
  const match = /^([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(value));
  const factor = match?.[2] ? SUFFIXES[match[2]] : 1;
  if (!match || factor === undefined)
    throw new RangeError(`"${value}" is not a quantity such as 500m, 2Gi or 1`);
  return Number(match[1]) * factor;
}

/** A character that is no blank, as the API server's regular expressions (RE2) know blanks: JavaScript's `\s` are more. */
export const NO_BLANK = '[^\\t\\n\\f\\r ]';

/** Text of so many characters at most, counted as the API server does it: zod's own `max` counts an emoji as two. */
export function characters(max: number) {
  const fits = (value: string) => value.length <= max || [...value].length <= max;
  return z.string().refine(fits, `must have at most ${max} characters`).meta({ maxLength: max });
}

/** An address whose scheme matches `scheme`. */
export function address(scheme: string) {
  return characters(2048).regex(new RegExp(`^${scheme}://${NO_BLANK}+$`));
}

/** The name of an object in the pipeline's own namespace. */
export function objectName(description: string) {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/)
    .meta({ description });
}

/** The address of an HTTP API. It stands in messages and logs, and `fetch` takes none with a password: `instead` says what does. */
export function url(description: string, instead: string) {
  return address('https?').meta({
    description,
    'x-kubernetes-validations': [
      {
        rule: "isURL(self) && url(self).getHostname() != '' && (url(self).getPort() == '' || int(url(self).getPort()) < 65536)",
        message: 'must be a URL, as in https://api.example:8443/users',
      },
      {
        rule: "!self.matches('^https?://[^/?#]*@')",
        message: `must not carry a user and password, which would stand in messages and logs: ${instead}`,
      },
    ],
  });
}

/** A name in CQL. */
export function identifier(description: string) {
  return z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,47}$/)
    .max(48)
    .meta({ description });
}

/** A container image's full name. */
export function image(description: string) {
  return characters(512)
    .min(1)
    .regex(new RegExp(`^${NO_BLANK}+$`))
    .meta({ description });
}

export function text(description: string, max: number) {
  return characters(max).min(1).meta({ description });
}

/** A whole number within bounds. */
export function integer(description: string, min: number, max: number) {
  return z.int().min(min).max(max).meta({ description });
}

/** Settings handed on to a component, by its own names for them. */
export function settings(description: string) {
  return z
    .record(z.string(), characters(4096).meta({ description: 'Value of the setting.' }))
    .default({})
    .meta({ description, maxProperties: 200 });
}

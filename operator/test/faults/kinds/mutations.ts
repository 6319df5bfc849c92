import type { JsonSchema } from '../../../src/crd/structural.ts';
import { propertiesOf } from '../../../src/crd/walk.ts';

/** A property of the spec: the way to it, and its schema. */
export type Property = { path: string[]; schema: JsonSchema };

/** One change of one property; an undefined value takes it away. */
export type Mutation = { path: string[]; how: string; value: unknown };

/** For each pattern of the schema there is one that fits, and among the first two that do one that fits its CEL rules, too. */
const TEXTS = [
  'changed',
  'changed:1',
  'https://changed.example/',
  '24h',
  '11m',
  'fr',
  's3a://changed/there',
  '15.2',
];

/** All properties below a schema, itself left out; of a list of objects, those of the first. */
export function properties(schema: JsonSchema, path: string[] = []): Property[] {
  const items = schema['items'] as JsonSchema | undefined;
  if (items) return properties(items, [...path, '0']);
  return propertiesOf(schema).flatMap(([name, child]) => {
    const here = [...path, name];
    return [{ path: here, schema: child }, ...properties(child, here)];
  });
}

/** Whether a property holds a value of its own, rather than other properties. */
export function isLeaf({ schema }: Property): boolean {
  return !schema['properties'];
}

/** What may be tried on a property that has the value `now`: change, delete, empty, extremes and what lies past them. */
export function mutations({ path, schema }: Property, now: unknown): Mutation[] {
  const all: [string, unknown][] = [
    ...changes(schema, now),
    ...(now === undefined ? [] : ([['deleted', undefined]] as [string, unknown][])),
    ...empties(schema),
    ...extremes(schema),
  ];
  return all.filter(([, value]) => !same(value, now)).map(([how, value]) => ({ path, how, value }));
}

/** What stands at a path of the spec; undefined where nothing does. */
export function valueAt(spec: Record<string, unknown>, path: string[]): unknown {
  const step = (inner: unknown, name: string) => (inner as Record<string, unknown> | undefined)?.[name];
  return path.reduce<unknown>(step, spec);
}

/** The spec with a mutation done. */
export function mutated(spec: Record<string, unknown>, { path, value }: Mutation): Record<string, unknown> {
  const [name = '', ...rest] = path;
  const { [name]: inner, ...others } = spec;
  if (rest.length === 0) return value === undefined ? others : { ...others, [name]: value };
  const child = mutated((inner ?? {}) as Record<string, unknown>, { path: rest, how: '', value });
  return { ...others, [name]: Array.isArray(inner) ? Object.values(child) : child };
}

function changes(schema: JsonSchema, now: unknown): [string, unknown][] {
  const values = (schema['enum'] as unknown[] | undefined) ?? candidates(schema, now);
  return values
    .filter((value) => !same(value, now))
    .slice(0, 3)
    .map((value) => ['changed', value]);
}

function candidates(schema: JsonSchema, now: unknown): unknown[] {
  if (schema['x-kubernetes-int-or-string']) return ['3Gi', '900m'];
  switch (schema['type']) {
    case 'boolean':
      return [!now];
    case 'integer':
      return [Number(now ?? schema['minimum'] ?? 0) + 1, Number(now ?? 2) - 1].filter((value) =>
        within(schema, value),
      );
    case 'string':
      return TEXTS.filter((text) => fits(schema, text)).slice(0, 2);
    case 'array':
      return arrays(schema['items'] as JsonSchema, now);
    default:
      return schema['additionalProperties'] ? [{ ...(now as object), changed: '1' }] : objects(schema);
  }
}

/** An object of what it must have. */
function objects(schema: JsonSchema): unknown[] {
  const required = (schema['required'] ?? []) as string[];
  const entries = propertiesOf(schema)
    .filter(([name]) => required.includes(name))
    .map(([name, child]) => [name, candidates(child, undefined)[0]]);
  return entries.length > 0 ? [Object.fromEntries(entries)] : [];
}

function arrays(items: JsonSchema, now: unknown): unknown[] {
  const before = Array.isArray(now) ? now : [];
  const some = (items['enum'] as unknown[] | undefined) ?? candidates(items, undefined);
  const more = some.filter((item) => !before.some((other) => same(item, other))).slice(0, 1);
  return [[...before, ...more], some.slice(0, 1), before.slice(0, 1)];
}

function empties(schema: JsonSchema): [string, unknown][] {
  const empty: Record<string, unknown> = { string: '', array: [], object: {}, integer: 0 };
  const value = empty[String(schema['type'])];
  return value === undefined ? [] : [['emptied', value]];
}

function extremes(schema: JsonSchema): [string, unknown][] {
  const { minimum, maximum, maxLength, maxProperties } = schema as Record<string, number | undefined>;
  if (schema['x-kubernetes-int-or-string'])
    return [
      ['made absurd', 'absurd'],
      ['made negative', '-1Gi'],
    ];
  return [
    ...bounds(minimum, -1, 'smallest'),
    ...bounds(maximum, 1, 'greatest'),
    ...(maxLength ? [['too long', 'x'.repeat(maxLength + 1)] as [string, unknown]] : []),
    ...(maxProperties ? [['too many', entries(maxProperties + 1)] as [string, unknown]] : []),
  ];
}

function bounds(bound: number | undefined, past: number, name: string): [string, unknown][] {
  if (bound === undefined) return [];
  return [
    [name, bound],
    [`past the ${name}`, bound + past],
  ];
}

function entries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`entry${index}`, 'x']));
}

function within({ minimum, maximum }: JsonSchema, value: number): boolean {
  return value >= Number(minimum ?? value) && value <= Number(maximum ?? value);
}

function fits({ pattern, maxLength }: JsonSchema, text: string): boolean {
  return (
    (!pattern || new RegExp(String(pattern), 'u').test(text)) &&
    text.length <= Number(maxLength ?? text.length)
  );
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

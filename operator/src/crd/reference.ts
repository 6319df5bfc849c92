import type { JsonSchema } from './structural.ts';
import { propertiesOf, type SchemaNode, walk } from './walk.ts';

/** What the API server checks beside a field's own bounds, and the path of what it is about. */
type Rule = { path: string; message: string };

const HEAD = ['field', 'type', 'default', 'bounds', 'what it says'];

function isSection({ schema }: SchemaNode): boolean {
  return propertiesOf(schema).length > 0;
}

/** As GitHub makes an anchor of a heading. */
function anchor(path: string): string {
  return `#${path.toLowerCase().replaceAll(/[^a-z0-9-]/g, '')}`;
}

const code = (text: unknown) => `\`${String(text).replaceAll('|', '\\|')}\``;

function typeOf({ path, schema }: SchemaNode): string {
  const items = schema['items'] as JsonSchema | undefined;
  if (items) return `list of ${typeOf({ path: `${path}[]`, schema: items })}`;
  if (isSection({ path, schema })) return `[object](${anchor(path)})`;
  if (schema['additionalProperties']) return 'map of string';
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  return schema['format'] === 'date-time' ? 'time' : String(schema['type']);
}

/** A default on one short line: objects within it are given by their own fields. */
function defaultOf({ default: preset }: JsonSchema): string {
  if (preset === undefined || JSON.stringify(preset) === '{}') return '';
  const nested = (key: string, value: unknown) =>
    key && typeof value === 'object' && !Array.isArray(value) ? '…' : value;
  return code(JSON.stringify(preset, nested).replaceAll('"…"', '{…}'));
}

function range(least: unknown, most: unknown, unit = ''): string[] {
  if (most === undefined) return [];
  if (most === Number.MAX_SAFE_INTEGER) return [`${least} or more`];
  return [`${least === undefined ? 'at most ' : `${least} to `}${most}${unit}`];
}

function boundsOf(schema: JsonSchema): string[] {
  if (schema['x-kubernetes-int-or-string']) return [];
  const { enum: values, pattern, items } = schema;
  return [
    ...(values ? [`one of ${(values as string[]).map(code).join(', ')}`] : []),
    ...(pattern ? [code(pattern)] : []),
    ...range(schema['minimum'], schema['maximum']),
    ...range(schema['minLength'], schema['maxLength'], ' characters'),
    ...range(schema['minItems'], schema['maxItems'], ' items'),
    ...range(undefined, schema['maxProperties'], ' entries'),
    ...(items ? boundsOf(items as JsonSchema).map((bound) => `each ${bound}`) : []),
  ];
}

const row = (cells: string[]) => `| ${cells.join(' | ')} |`;

function fieldRow({ path, schema }: SchemaNode, name: string, required: boolean): string {
  const node = { path: `${path}.${name}`, schema };
  const bounds = [...(required ? ['required'] : []), ...boundsOf(schema)].join('; ');
  return row([code(name), typeOf(node), defaultOf(schema), bounds, String(schema['description'])]);
}

function table({ path, schema }: SchemaNode): string[] {
  const required = new Set(schema['required'] as string[] | undefined);
  const rows = propertiesOf(schema).map(([name, child]) =>
    fieldRow({ path, schema: child }, name, required.has(name)),
  );
  return [row(HEAD), row(HEAD.map(() => '---')), ...rows];
}

function rulesOf({ path, schema }: SchemaNode): Rule[] {
  const rules = (schema['x-kubernetes-validations'] ?? []) as { message: string; fieldPath?: string }[];
  return rules.map(({ message, fieldPath = '' }) => ({
    path: (path + fieldPath).replace(/^\./, ''),
    message,
  }));
}

/** The rules of an object and of those of its fields that are no objects themselves. */
function ruleLines(path: string, rules: Rule[], sections: Set<string>): string[] {
  const lines = rules.flatMap((rule) => {
    if (rule.path === path) return [`- ${rule.message}`];
    const name = rule.path.startsWith(`${path}.`) && rule.path.slice(path.length + 1);
    return name && !name.includes('.') && !sections.has(rule.path) ? [`- \`${name}\`: ${rule.message}`] : [];
  });
  return lines.length > 0 ? ['', 'The API server refuses what breaks these rules:', '', ...lines] : [];
}

/**
 * The field reference as Markdown: a section an object, a row a field, and the rules that span fields.
 * @param schema of the whole resource, each property described and bounded
 */
export function referenceOf(title: string, schema: JsonSchema): string {
  const nodes = walk({ path: '', schema });
  const sections = nodes.filter(({ path }) => /^(spec|status)\b/.test(path)).filter(isSection);
  const paths = new Set(sections.map(({ path }) => path));
  const rules = nodes.flatMap(rulesOf);
  const texts = sections.map((node) =>
    [
      `## ${node.path}`,
      '',
      String(node.schema['description']),
      '',
      ...table(node),
      ...ruleLines(node.path, rules, paths),
    ].join('\n'),
  );
  const units =
    'A quantity is a number with or without one of the units m, k, M, G, T, P, Ki, Mi, Gi, Ti, Pi.';
  const head = [`# ${title}`, '', `${schema['description']} ${units}`, ...ruleLines('', rules, paths)].join(
    '\n',
  );
  return `${[head, ...texts].join('\n\n')}\n`;
}

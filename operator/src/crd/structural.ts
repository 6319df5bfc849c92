import { z } from 'zod';

export type JsonSchema = { [key: string]: unknown };

/** Keys that Kubernetes' structural schemas don't take and that say nothing the schema needs. */
const DROPPED = new Set(['$schema', 'propertyNames', 'additionalProperties']);

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An int-or-string has its type in no other place than the extension: the API server insists on this very form. */
function intOrString({ pattern, maxLength, description, default: preset }: JsonSchema): JsonSchema {
  return {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    pattern,
    maxLength,
    description,
    ...(preset === undefined ? {} : { default: preset }),
  };
}

function properties(value: unknown): JsonSchema {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, structural(schema)]));
}

/** Rewrites one node of zod's OpenAPI schema, and all below it, to what Kubernetes accepts. */
function structural(node: unknown): unknown {
  if (!isObject(node)) return node;
  if (node['x-kubernetes-int-or-string']) return intOrString(node);
  const entries = Object.entries(node)
    .filter(([key]) => !DROPPED.has(key) && !(key === 'pattern' && 'format' in node))
    .map(([key, value]): [string, unknown] => {
      if (key === 'properties') return [key, properties(value)];
      return [key, key === 'items' ? structural(value) : value];
    });
  const values = node['additionalProperties'];
  return Object.fromEntries(
    isObject(values) ? [...entries, ['additionalProperties', structural(values)]] : entries,
  );
}

/**
 * The structural OpenAPI v3 schema of a zod schema, as a CustomResourceDefinition carries it.
 * @throws {Error} on a zod schema that JSON Schema can't express.
 */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    cycles: 'throw',
    reused: 'inline',
  });
  return structural(json) as JsonSchema;
}

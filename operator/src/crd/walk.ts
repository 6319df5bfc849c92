import type { JsonSchema } from './structural.ts';

/** A place in a schema: `spec.kafka.topic`, the values of a map as `spec.spark.conf{}`, the items of a list as `…[]`. */
export type SchemaNode = { path: string; schema: JsonSchema };

/** The properties of an object's schema, by name. */
export function propertiesOf(schema: JsonSchema): [string, JsonSchema][] {
  return Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
}

/** What a schema contains, one level down. */
export function children({ path, schema }: SchemaNode): SchemaNode[] {
  const below = (suffix: string, child: unknown) => ({ path: path + suffix, schema: child as JsonSchema });
  const { items, additionalProperties } = schema;
  return [
    ...propertiesOf(schema).map(([name, child]) => below(path ? `.${name}` : name, child)),
    ...(items ? [below('[]', items)] : []),
    ...(additionalProperties ? [below('{}', additionalProperties)] : []),
  ];
}

/** A schema and all that it contains, each before what is in it. */
export function walk(node: SchemaNode): SchemaNode[] {
  return [node, ...children(node).flatMap(walk)];
}

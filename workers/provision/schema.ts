import { columnsOfSchema, userSchema } from '../lib/avro.ts';
import { type Columns, columnsOf, type Field, userColumns } from '../lib/columns.ts';
import { StageError } from '../lib/health.ts';
import type { RegisteredSchema, SubjectClient } from '../lib/registry.ts';

/** The columns of a table of users. */
export type TableColumns = {
  /** @throws {StageError} where a column is there already and has another type; changes nothing. */
  check(columns: Columns): Promise<void>;
  /** Adds those that are missing. */
  add(columns: Columns): Promise<void>;
};

/**
 * Registers the schema with `fields`, then gives the tables its columns, so that whoever meets a column in a table finds
 * it in the newest schema. A field that is no longer asked for stays in all of them.
 * @throws {StageError} SchemaIncompatible where the registry refuses a field's new type, and what `check` does; nothing is
 * registered or altered then.
 */
export async function provisionSchema(
  subject: SubjectClient,
  fields: readonly Field[],
  tables: readonly TableColumns[],
): Promise<void> {
  await subject.setCompatibility('BACKWARD');
  const latest = await latestOf(subject);
  const before = latest && columnsOfSchema(latest.schema);
  const columns = userColumns({ ...before, ...columnsOf(fields) });
  const schema = userSchema(columns);
  if (latest && !(await subject.accepts(schema))) throw incompatible(before, columns);
  // Avro would read some types as others, which no table does.
  if (changed(before, columns)) throw incompatible(before, columns);
  for (const table of tables) await table.check(columns);
  await subject.register(schema);
  for (const table of tables) await table.add(columns);
}

function latestOf(subject: SubjectClient): Promise<RegisteredSchema | undefined> {
  return subject.latest().catch((error) => {
    if (error instanceof StageError && error.reason === 'SchemaMissing') return undefined;
    throw error;
  });
}

/** The first column whose type is another one than before. */
function changed(before: Columns = {}, columns: Columns): string | undefined {
  return Object.keys(before).find((name) => columns[name] !== before[name]);
}

function incompatible(before: Columns | undefined, columns: Columns): StageError {
  const name = changed(before, columns);
  const fault = name
    ? `spec.fields: ${name} is ${columns[name]}, but was registered as ${before?.[name]}; leave its type, or give the field another name`
    : 'the subject holds a schema of another kind: choose another topic';
  return new StageError('SchemaRegistry', 'SchemaIncompatible', `the schema can't be registered: ${fault}`);
}

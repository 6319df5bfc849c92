import { COLUMN_TYPES, type ColumnType } from '../lib/columns.ts';
import { StageError } from '../lib/health.ts';

/** The types in every Postgres whose text is read; all that is to be text may be anything. */
const TYPE_IDS: Partial<Record<ColumnType, number>> = {
  uuid: 2950,
  timestamp: 1184,
  bigint: 20,
  double: 701,
  boolean: 16,
};

/** A table as the WAL describes it before its first row: which place each column has. */
export type Relation = {
  id: number;
  /** Postgres's schema that the table is in. */
  namespace: string;
  name: string;
  columns: readonly { name: string; typeId: number }[];
};

/** Reads pgoutput's Relation message. */
export function readRelation(bytes: Buffer): Relation {
  const text = (from: number) => bytes.toString('utf8', from, bytes.indexOf(0, from));
  const behind = (from: number) => bytes.indexOf(0, from) + 1;
  const namespace = text(5);
  const nameAt = behind(5);
  // One byte says what identifies a row.
  let at = behind(nameAt) + 1;
  const columns = [];
  const count = bytes.readUInt16BE(at);
  at += 2;
  for (let column = 0; column < count; column += 1) {
    const typeAt = behind(at + 1);
    columns.push({ name: text(at + 1), typeId: bytes.readUInt32BE(typeAt) });
    at = typeAt + 8;
  }
  return { id: bytes.readUInt32BE(1), namespace, name: text(nameAt), columns };
}

/**
 * The place of column `name`, of the kind `type`, in the relation's rows; -1 where it has none.
 * @throws {StageError} TableUnexpected where it has another type.
 */
export function placeOf({ name: table, columns }: Relation, name: string, type: ColumnType): number {
  const place = columns.findIndex((column) => column.name === name);
  const wanted = TYPE_IDS[type];
  if (place < 0 || wanted === undefined || columns[place]?.typeId === wanted) return place;
  throw new StageError(
    'Postgres',
    'TableUnexpected',
    `column ${name} of table ${table} is not of type ${COLUMN_TYPES[type].postgres}: alter it, or give the pipeline another database`,
  );
}

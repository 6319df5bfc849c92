import { StageError } from '../lib/health.ts';
import type { Lsn } from './lsn.ts';
import { placeOf, readRelation } from './relation.ts';
import { RowEncoder } from './row-encoder.ts';
import { type Schema, TableAltered } from './schema.ts';
import { Tuple } from './tuple.ts';

/** What happened to one user. */
export type Change = {
  id: string;
  /** No row had this id just before. */
  isNew: boolean;
  /** When the transaction was committed, in milliseconds since 1970, where that is known: for freshness, never for order. */
  committedAt: number | undefined;
  /** Makes the record's value, before the next message is read, or throws RowTooLarge; null when the user is gone. */
  encode: ((schemaId: number) => Buffer) | null;
};

/** The table whose changes are carried; a publication may hold more, also of this name. */
const TABLE = 'users';

/** What rows are read by. */
export type ReaderSchema = Pick<Schema, 'columns' | 'asOf' | 'namespace'>;

// The bytes by which pgoutput tells its messages and their parts apart.
const [INSERT, UPDATE, DELETE] = [0x49, 0x55, 0x44];
const [KEY, OLD] = [0x4b, 0x4f];

type Table = {
  idPlace: number;
  encoder: RowEncoder;
  /** A column that isn't in the schema; undefined where there is none, or it is known to be somebody else's. */
  unknown: string | undefined;
};

/** Reads the changes of `users` out of WAL messages. */
export class ChangeReader {
  readonly #schema: ReaderSchema;
  readonly #tables = new Map<number, Table>();
  readonly #before = new Tuple();
  readonly #after = new Tuple();

  constructor(schema: ReaderSchema) {
    this.#schema = schema;
  }

  /** Takes in a Relation message, which comes before the first row and again after the table was altered. */
  describe(bytes: Buffer): void {
    const relation = readRelation(bytes);
    const { namespace, columns } = this.#schema;
    if (relation.name !== TABLE || relation.namespace !== namespace) return;
    const idPlace = placeOf(relation, 'id', 'uuid');
    if (idPlace < 0) throw withoutId();
    const encoder = new RowEncoder(columns, (name, type) => placeOf(relation, name, type));
    const unknown = relation.columns.find(({ name }) => !Object.hasOwn(columns, name))?.name;
    this.#tables.set(relation.id, { idPlace, encoder, unknown });
  }

  /**
   * The changes that one message amounts to, in order: an update of the key is the end of the old user and the beginning
   * of the new. Messages about anything but rows of `users` amount to none.
   * @throws {TableAltered} on a row that may have a value in a column that nothing is known of
   */
  read(bytes: Buffer, lsn: Lsn, committedAt: number): Change[] {
    const tag = bytes[0];
    if (tag !== INSERT && tag !== UPDATE && tag !== DELETE) return [];
    const table = this.#tables.get(bytes.readUInt32BE(1));
    if (!table) return [];
    this.#requireKnown(table, lsn);
    const kind = bytes[5];
    const hasBefore = kind === KEY || kind === OLD;
    const end = hasBefore ? this.#before.read(bytes, 6) : 5;
    const gone = () => ({ id: idOf(this.#before, table), isNew: false, committedAt, encode: null });
    if (tag === DELETE) return [gone()];
    this.#after.read(bytes, end + 1);
    this.#complete(kind === OLD);
    const encode = (schemaId: number) => table.encoder.encode(this.#after, schemaId);
    const id = idOf(this.#after, table);
    const moved = hasBefore && idOf(this.#before, table) !== id;
    const stands = { id, isNew: moved || tag === INSERT, committedAt, encode };
    return moved ? [gone(), stands] : [stands];
  }

  /** The first row under a description of the table tells when that was true. */
  #requireKnown(table: Table, lsn: Lsn): void {
    if (table.unknown === undefined) return;
    if (lsn >= this.#schema.asOf) throw new TableAltered(table.unknown);
    table.unknown = undefined;
  }

  /** A large value that an update left alone is not in the WAL unless the whole old row is. */
  #complete(oldRowIsWhole: boolean): void {
    if (this.#after.isWhole) return;
    if (oldRowIsWhole) this.#after.completeFrom(this.#before);
    else throw withHoles();
  }
}

function idOf(row: Tuple, { idPlace }: Table): string {
  if (row.isNull(idPlace)) throw withoutId();
  return row.text(idPlace);
}

function withoutId(): StageError {
  return new StageError(
    'Postgres',
    'TableUnexpected',
    `table ${TABLE} has a row without an id: its column id must be the uuid primary key`,
  );
}

function withHoles(): StageError {
  return new StageError(
    'Postgres',
    'ReplicaIdentityNotFull',
    `table ${TABLE}: an update does not carry all columns; run ALTER TABLE ${TABLE} REPLICA IDENTITY FULL, then drop the slot: provision makes a new one and the table is published anew`,
  );
}

// Messages as Postgres' plugin pgoutput writes them (protocol version 1), for tests of what reads them.

/** A value of a row: text, null, or undefined for what an update left alone. */
type Value = string | null | undefined;

const RELATION_ID = 16_400;
const UNUSED = Buffer.alloc(4);

export function begin(committedAtMs: number, commitLsn = 0n): Buffer {
  const sinceTwoThousand = BigInt(committedAtMs - Date.UTC(2000, 0)) * 1000n;
  return Buffer.concat([Buffer.from('B'), int64(commitLsn), int64(sinceTwoThousand), UNUSED]);
}

export function commit(end: bigint): Buffer {
  return Buffer.concat([Buffer.from('C\0'), int64(end - 1n), int64(end), int64(0n)]);
}

/** A table of columns with their types' ids. */
export function relation(name: string, columns: Record<string, number>, namespace = 'public'): Buffer {
  const each = Object.entries(columns).map(([column, typeId]) =>
    Buffer.concat([Buffer.from(`\0${column}\0`), int32(typeId), int32(-1)]),
  );
  const head = Buffer.from(`${namespace}\0${name}\0f`);
  return Buffer.concat([Buffer.from('R'), int32(RELATION_ID), head, int16(each.length), ...each]);
}

export function insert(row: Value[]): Buffer {
  return Buffer.concat([Buffer.from('I'), int32(RELATION_ID), Buffer.from('N'), tuple(row)]);
}

/** `before` is the old row (`O`), or its key alone (`K`). */
export function update(before: ['O' | 'K', Value[]] | undefined, row: Value[]): Buffer {
  const old = before ? [Buffer.from(before[0]), tuple(before[1])] : [];
  return Buffer.concat([Buffer.from('U'), int32(RELATION_ID), ...old, Buffer.from('N'), tuple(row)]);
}

export function remove(kind: 'O' | 'K', row: Value[]): Buffer {
  return Buffer.concat([Buffer.from('D'), int32(RELATION_ID), Buffer.from(kind), tuple(row)]);
}

function tuple(row: Value[]): Buffer {
  const values = row.map((value) => {
    if (value === null) return Buffer.from('n');
    if (value === undefined) return Buffer.from('u');
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from('t'), int32(bytes.length), bytes]);
  });
  return Buffer.concat([int16(row.length), ...values]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

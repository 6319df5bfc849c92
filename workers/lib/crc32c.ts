/** The Castagnoli polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
/** Bytes taken in at once; a table each. */
const STEP = 8;

const TABLES = makeTables();

/** Table `k` says what a byte does to the checksum when `k` more bytes follow it. */
function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
    tables[byte] = rest;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}

const look = (table: number, byte: number) => TABLES[table * 256 + byte] as number;

/** The checksum of Kafka's record batches, as an unsigned number. */
export function crc32c(bytes: Buffer): number {
  let [crc, at] = [-1, 0];
  for (const end = bytes.length - (bytes.length % STEP); at < end; at += STEP) {
    const low = crc ^ bytes.readInt32LE(at);
    const high = bytes.readInt32LE(at + 4);
    crc =
      look(7, low & 0xff) ^
      look(6, (low >>> 8) & 0xff) ^
      look(5, (low >>> 16) & 0xff) ^
      look(4, low >>> 24) ^
      look(3, high & 0xff) ^
      look(2, (high >>> 8) & 0xff) ^
      look(1, (high >>> 16) & 0xff) ^
      look(0, high >>> 24);
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ look(0, (crc ^ (bytes[at] as number)) & 0xff);
  return ~crc >>> 0;
}

// The parts of kafkajs that cost most of a record's time, anew and with the same contract: kafkajs copies a partition's list
// for each message that it adds, hashes keys in BigInt, and makes a dozen buffers for a record.

type Message = {
  key: string;
  value: Buffer | null;
  headers?: Record<string, string>;
  partition?: number;
};

type Grouping = {
  topic: string;
  partitionMetadata: unknown[];
  messages: readonly Message[];
  partitioner(choice: { topic: string; partitionMetadata: unknown[]; message: Message }): number;
};

/** The messages of each partition, in their order. */
export function groupByPartition({ topic, partitionMetadata, messages, partitioner }: Grouping) {
  const groups: Record<number, Message[]> = {};
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    groups[partition] ??= [];
    groups[partition].push(message);
  }
  return groups;
}

/** Where the message goes: the partition it asks for, or the one that Java's default partitioner gives its key. */
export function choosePartition(message: Message, partitions: number): number {
  return message.partition ?? (murmur2(Buffer.from(message.key)) & 0x7fffffff) % partitions;
}

const MULTIPLIER = 0x5bd1e995;

/** The hash by which Kafka's clients spread keys. */
function murmur2(key: Buffer): number {
  const whole = key.length & ~3;
  let hash = 0x9747b28c ^ key.length;
  for (let at = 0; at < whole; at += 4) {
    const mixed = Math.imul(key.readInt32LE(at), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(mixed ^ (mixed >>> 24), MULTIPLIER);
  }
  if (key.length > whole) hash = Math.imul(hash ^ key.readUIntLE(whole, key.length - whole), MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

type PlacedMessage = Message & { offsetDelta: number; timestampDelta: number };

/** What kafkajs takes for an encoder that has been written to. */
type Encoded = { buf: Buffer; buffer: Buffer };

/** A record of a batch (format 2): its length, attributes, place, key, value and headers. */
export function encodeRecord(message: PlacedMessage): Encoded {
  const headers = Object.entries(message.headers ?? {});
  const size = 1 + sizeOfBody(message, headers);
  const bytes = Buffer.allocUnsafe(sizeOfInt(size) + size);
  let at = writeInt(bytes, size, 0);
  at = bytes.writeUInt8(0, at);
  at = writeInt(bytes, message.timestampDelta, at);
  at = writeInt(bytes, message.offsetDelta, at);
  at = writeText(bytes, message.key, at);
  at = writeBytes(bytes, message.value, at);
  at = writeInt(bytes, headers.length, at);
  for (const [name, value] of headers) at = writeText(bytes, value, writeText(bytes, name, at));
  return { buf: bytes, buffer: bytes };
}

function sizeOfBody(
  { timestampDelta, offsetDelta, key, value }: PlacedMessage,
  headers: [string, string][],
): number {
  let size = sizeOfInt(timestampDelta) + sizeOfInt(offsetDelta) + sizeOfText(key);
  size += value ? sizeOfInt(value.length) + value.length : 1;
  size += sizeOfInt(headers.length);
  for (const [name, text] of headers) size += sizeOfText(name) + sizeOfText(text);
  return size;
}

function sizeOfText(text: string): number {
  const length = Buffer.byteLength(text);
  return sizeOfInt(length) + length;
}

/** Bytes of a number that is not negative, as a zigzag of seven bits a byte. */
function sizeOfInt(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x40; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function writeInt(bytes: Buffer, value: number, offset: number): number {
  let [rest, at] = [value * 2, offset];
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) at = bytes.writeUInt8((rest & 0x7f) | 0x80, at);
  return bytes.writeUInt8(rest, at);
}

function writeText(bytes: Buffer, text: string, offset: number): number {
  const at = writeInt(bytes, Buffer.byteLength(text), offset);
  return at + bytes.write(text, at);
}

function writeBytes(bytes: Buffer, value: Buffer | null, offset: number): number {
  // Minus one, for null, is one in zigzag.
  if (!value) return bytes.writeUInt8(1, offset);
  const at = writeInt(bytes, value.length, offset);
  return at + value.copy(bytes, at);
}

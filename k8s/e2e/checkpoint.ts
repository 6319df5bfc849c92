import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The records of the batch that Spark has planned and not committed yet, by its checkpoint; 0 between two batches. */
export function recordsInHand(checkpoint: string): number {
  const planned = newest(join(checkpoint, 'offsets'));
  if (planned <= newest(join(checkpoint, 'commits'))) return 0;
  return sumOfOffsets(checkpoint, planned) - (planned > 0 ? sumOfOffsets(checkpoint, planned - 1) : 0);
}

/** Each batch is a file that bears its number; others beside it are Hadoop's. */
function newest(directory: string): number {
  const numbers = readdirSync(directory).filter((name) => /^\d+$/.test(name));
  return Math.max(-1, ...numbers.map(Number));
}

/** The last line of a batch's file says where it ends in each partition. */
function sumOfOffsets(checkpoint: string, batch: number): number {
  const lines = readFileSync(join(checkpoint, 'offsets', String(batch)), 'utf8')
    .trim()
    .split('\n');
  const topics: Record<string, Record<string, number>> = JSON.parse(lines.at(-1) ?? '{}');
  return Object.values(topics)
    .flatMap((partitions) => Object.values(partitions))
    .reduce((sum, offset) => sum + offset, 0);
}

import type { KafkaRecord, Publisher } from '../lib/kafka.ts';
import { isTooLarge } from '../lib/kafka-errors.ts';
import { type Destination, deadLetter, sizeOf } from './records.ts';

/**
 * Publishes `records` in order. A batch that the broker refuses for its size is sent in halves; a single record that
 * is too large becomes a dead letter, so that it can't hold up the ones behind it.
 * @returns how many became dead letters.
 */
export async function send(
  publisher: Pick<Publisher, 'publish'>,
  to: Destination,
  records: readonly KafkaRecord[],
): Promise<number> {
  try {
    if (records.length > 0) await publisher.publish(records);
    return 0;
  } catch (error) {
    const [first] = records;
    if (!first || !isTooLarge(error)) throw error;
    if (records.length === 1) {
      if (first.topic === to.deadLetterTopic) throw error;
      await publisher.publish([
        deadLetter(first, to, 'TooLarge', `${sizeOf(first)} bytes: ${message(error)}`),
      ]);
      return 1;
    }
    const middle = records.length >> 1;
    return (
      (await send(publisher, to, records.slice(0, middle))) +
      (await send(publisher, to, records.slice(middle)))
    );
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

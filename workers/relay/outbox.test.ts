import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KafkaRecord } from '../lib/kafka.ts';
import { Outbox } from './outbox.ts';

const record = (key: string, bytes = 0): KafkaRecord => ({
  topic: 't',
  key,
  value: Buffer.alloc(bytes),
  headers: {},
});

/** An outbox whose batches are acknowledged one by one, by hand. */
function setUp(maxBytes?: number) {
  const log: string[] = [];
  const flights: { resolve(): void; reject(error: Error): void }[] = [];
  const outbox = new Outbox({
    confirmed: 0n,
    send: (records) => {
      log.push(`send ${records.map(({ key }) => key).join('')}`);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      flights.push({ resolve, reject });
      return promise;
    },
    onConfirmed: (lsn) => log.push(`confirm ${lsn}`),
    onPressure: (full) => log.push(full ? 'pause' : 'resume'),
    onError: (error) => log.push((error as Error).message),
    ...(maxBytes ? { maxBytes } : {}),
  });
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  };
  return { outbox, log, flights, settle };
}

describe('the outbox', () => {
  test('confirms a position only when all that was added before it is acknowledged', async () => {
    const { outbox, log, flights, settle } = setUp();
    outbox.add(record('a'));
    outbox.mark(1n);
    await settle();
    assert.deepEqual(log, ['send a']);
    flights[0]?.resolve();
    await outbox.drain();
    assert.deepEqual(log, ['send a', 'confirm 1']);
  });

  test('has one batch in flight; what comes meanwhile is the next one', async () => {
    const { outbox, log, flights, settle } = setUp();
    outbox.add(record('a'));
    outbox.mark(1n);
    await settle();
    for (const key of ['b', 'c']) outbox.add(record(key));
    outbox.mark(2n);
    outbox.add(record('d'));
    flights[0]?.resolve();
    await settle();
    assert.deepEqual(log, ['send a', 'confirm 1', 'send bcd']);
    flights[1]?.resolve();
    await outbox.drain();
    assert.deepEqual(log.at(-1), 'confirm 2');
  });

  test('confirms a position with nothing before it at once', async () => {
    const { outbox, log } = setUp();
    outbox.mark(7n);
    await outbox.drain();
    outbox.mark(6n);
    await outbox.drain();
    assert.deepEqual(log, ['confirm 7']);
  });

  test('holds the reader back while it is full', async () => {
    const { outbox, log, flights, settle } = setUp(1000);
    outbox.add(record('a', 10));
    await settle();
    outbox.add(record('b', 500));
    outbox.add(record('c', 500));
    assert.deepEqual(log, ['send a', 'pause']);
    flights[0]?.resolve();
    await settle();
    assert.deepEqual(log, ['send a', 'pause', 'resume', 'send bc']);
    flights[1]?.resolve();
    await outbox.drain();
    assert.ok(outbox.idle);
  });

  test('sends what is more than a batch takes in several, and confirms what lies before the last one behind it', async () => {
    const { outbox, log, flights, settle } = setUp(1000);
    outbox.add(record('a', 600));
    outbox.add(record('b', 600));
    outbox.add(record('c', 2000));
    outbox.mark(3n);
    await settle();
    flights[0]?.resolve();
    await settle();
    flights[1]?.resolve();
    await outbox.drain();
    assert.deepEqual(log, ['pause', 'send ab', 'resume', 'send c', 'confirm 3']);
  });

  test('confirms what is acknowledged while there is always more than a batch takes', async () => {
    const { outbox, log, flights, settle } = setUp(1000);
    const add = (...keys: string[]) => {
      for (const key of keys) {
        outbox.add(record(key, 600));
        outbox.mark(BigInt(key.charCodeAt(0)));
      }
    };
    const [b, d, f] = ['b', 'd', 'f'].map((key) => key.charCodeAt(0));
    add('a', 'b', 'c');
    await settle();
    for (const [index, keys] of ['de', 'fg', 'hi'].entries()) {
      add(...keys);
      flights[index]?.resolve();
      await settle();
    }
    const moves = log.filter((line) => !/pause|resume/.test(line));
    const expected = [
      'send ab',
      `confirm ${b}`,
      'send cd',
      `confirm ${d}`,
      'send ef',
      `confirm ${f}`,
      'send gh',
    ];
    assert.deepEqual(moves, expected);
  });

  test('that is stopped waits for what is in flight, and confirms it, and sends nothing more', async () => {
    const { outbox, log, flights, settle } = setUp();
    outbox.add(record('a'));
    outbox.mark(1n);
    await settle();
    outbox.add(record('b'));
    outbox.mark(2n);
    const stopped = outbox.stop();
    flights[0]?.resolve();
    await stopped;
    await settle();
    assert.deepEqual(log, ['send a', 'confirm 1']);
  });

  test('after a failure sends and confirms nothing any more', async () => {
    const { outbox, log, flights, settle } = setUp();
    outbox.add(record('a'));
    outbox.mark(1n);
    await settle();
    flights[0]?.reject(new Error('broken'));
    await outbox.drain();
    outbox.add(record('b'));
    outbox.mark(2n);
    await settle();
    assert.deepEqual(log, ['send a', 'broken']);
    assert.equal(outbox.confirmed, 0n);
  });
});

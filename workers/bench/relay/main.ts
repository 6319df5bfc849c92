import { debezium, type Result, relay, relayWithJson } from './contenders.ts';
import { kafkajsAlone, producerPerformance, recvlogical } from './limits.ts';
import { startWorld } from './world.ts';

// The relay against Debezium and against what bounds it, in one run: `npm run bench:relay -- 200000`.

const users = Number(process.argv[2] ?? 200_000);
const fixed = (value: number, digits = 0) => (Number.isNaN(value) ? '' : value.toFixed(digits));
const rate = ({ records, seconds }: Result) => records / seconds;

function row(cells: string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(42) : cell.padStart(12))).join('');
}

function line(result: Result): string {
  const { name, cpuSeconds, peakBytes, records } = result;
  return row([
    name,
    fixed(rate(result)),
    fixed(cpuSeconds, 1),
    fixed((cpuSeconds / records) * 1e6, 1),
    fixed(peakBytes / 2 ** 20),
  ]);
}

function ratio(what: string, value: number, aim: string): string {
  return row([what, value.toFixed(2), aim]);
}

const world = await startWorld();
try {
  const ours = await relay(world, users, 'none');
  const zipped = await relay(world, users, 'gzip');
  const json = await relayWithJson(world, users);
  const theirs = await debezium(world, users);
  const client = await kafkajsAlone(world, users, 'stock');
  const replaced = await kafkajsAlone(world, users, 'ours');
  const server = await recvlogical(world, users);
  const broker = await producerPerformance(world, users);
  console.log(`${users} users in one transaction\n`);
  console.log(row(['', 'records/s', 'CPU s', 'µs/record', 'peak MiB']));
  for (const result of [ours, zipped, json, theirs, client, replaced, server, broker])
    console.log(line(result));
  const lower = Math.min(rate(server), rate(broker));
  console.log(`\n${row(['the relay (Avro, none)', 'ratio', 'aim'])}`);
  console.log(ratio('rate, to Debezium’s', rate(ours) / rate(theirs), '≥ 2'));
  console.log(ratio('rate with JSON, to Debezium’s', rate(json) / rate(theirs), '≥ 2'));
  console.log(ratio('CPU, to Debezium’s', ours.cpuSeconds / theirs.cpuSeconds, '≤ 0.4'));
  console.log(ratio('CPU with JSON, to Debezium’s', json.cpuSeconds / theirs.cpuSeconds, '≤ 0.4'));
  console.log(ratio('memory, to Debezium’s', ours.peakBytes / theirs.peakBytes, '≤ 0.3'));
  console.log(ratio('rate, to kafkajs alone', rate(ours) / rate(client), '≥ 0.8'));
  console.log(ratio('rate, to the lower limit', rate(ours) / lower, '≥ 0.8'));
} finally {
  await world.stop();
}
process.exit(0);

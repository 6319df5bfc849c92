import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AvroUser } from '../../test/avro.ts';
import { type Publication, SinkBench, user } from '../../test/sink.ts';
import { bareLoop, streamingJob, writeRows } from './contenders.ts';

// The streaming job beside a bare loop of Cassandra's driver, in one run: `npm run bench:sink -- 150000 2`.

const users = Number(process.argv[2] ?? 150_000);
const rounds = Number(process.argv[3] ?? 2);
const processes = availableParallelism();
const BATCH = 25_000;
const CHUNK = 5_000;

const row = (cells: (string | number)[]) => cells.map((cell) => String(cell).padStart(16)).join('');

/** A user as the API gives one. */
function made(index: number): Publication & { user: AvroUser } {
  const fields: Partial<AvroUser> = {
    id: randomUUID(),
    first_name: `Ada ${index}`,
    last_name: 'Lovelace',
    gender: 'female',
    address: `${index} St James’s Square, London, Greater London, United Kingdom`,
    post_code: String(10_000 + (index % 90_000)),
    email: `ada.lovelace.${index}@example.com`,
    username: `ada${index}`,
    dob: Date.UTC(1915, 11, 10) + index * 1000,
    registered_date: Date.UTC(2015, 11, 10) + index * 1000,
    phone: '011-962-7516',
    picture: `https://randomuser.me/api/portraits/med/women/${index % 100}.jpg`,
    nationality: 'GB',
  };
  return { user: user(fields), version: BigInt(index + 1) };
}

const bench = await SinkBench.start({ sql: 'SELECT * FROM users', maxOffsetsPerTrigger: BATCH });
const file = join(tmpdir(), `userstream-bench-${process.pid}.ndjson`);
try {
  const publications = Array.from({ length: users }, (_, index) => made(index));
  await writeRows(file, publications);
  for (let from = 0; from < users; from += CHUNK) await bench.publish(publications.slice(from, from + CHUNK));
  const size = { users, processes, warmUp: BATCH };
  console.log(
    `${users} users, the first ${BATCH} to warm up, ${processes} tasks or processes; rows a second\n`,
  );
  console.log(row(['bare loop', 'streaming job', 'ratio', 'aim']));
  for (let round = 0; round < rounds; round++) {
    const bare = await bareLoop(bench, file, size);
    const job = await streamingJob(bench, size);
    console.log(row([bare.toFixed(0), job.toFixed(0), (job / bare).toFixed(2), '≥ 0.6']));
  }
} finally {
  await rm(file, { force: true });
  await bench.stop();
}
process.exit(0);

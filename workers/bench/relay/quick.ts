import { relay } from './contenders.ts';
import { startWorld } from './world.ts';

const world = await startWorld();
try {
  await relay(world, 20000, 'none');
  for (let i = 0; i < 3; i++) {
    const r = await relay(world, 100000, 'none');
    console.log(
      process.argv[2],
      Math.round(r.records / r.seconds),
      'records/s',
      ((r.cpuSeconds / r.records) * 1e6).toFixed(1),
      'us',
      Math.round(r.peakBytes / 2 ** 20),
      'MiB',
    );
  }
} finally {
  await world.stop();
}
process.exit(0);

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type TemporaryDirectory, temporaryDirectory } from '../test/directory.ts';
import { SinkBench, user } from '../test/sink.ts';
import { type SparkProcess, startSpark } from '../test/spark.ts';
import { until } from '../test/wait.ts';

/** A file system of Hadoop's that no process can lock: a view of a directory. */
const mounted = (directory: string) => ({
  location: 'viewfs://default/mounted/checkpoint',
  arguments: `--conf spark.hadoop.fs.viewfs.mounttable.default.link./mounted=file://${directory} pyspark-shell`,
});

describe('two drivers on a checkpoint that is on no volume', { timeout: 900_000 }, () => {
  let bench: SinkBench = undefined as never;
  let directory: TemporaryDirectory = undefined as never;
  const drivers: SparkProcess[] = [];
  before(async () => {
    bench = await SinkBench.start({ sql: 'none' });
    directory = await temporaryDirectory('hadoop');
  });
  after(async () => {
    for (const driver of drivers) await driver.end('SIGKILL');
    await bench?.stop();
    await directory?.remove();
  });

  /** The driver of `pod`, which calls all users so. Of two values under one version Cassandra keeps the greater. */
  async function startDriver(pod: string): Promise<SparkProcess> {
    const { spark, ...sections } = bench.config();
    const view = mounted(directory.path);
    const sql = `SELECT id, '${pod}' AS first_name FROM users`;
    const env = { ...bench.credentials, POD_UID: pod, PYSPARK_SUBMIT_ARGS: view.arguments };
    const config = { ...sections, spark: { ...spark, sql, checkpointLocation: view.location } };
    const driver = await startSpark(config, env);
    drivers.push(driver);
    return driver;
  }

  const isTaken = (driver: SparkProcess) =>
    until('it to be told', async () => (await driver.status()).reason === 'CheckpointTaken', 150_000);

  /** Publishes a user, and waits until it stands as what the driver of a pod calls it. */
  async function arrives(version: bigint) {
    const { id } = user({});
    await bench.publish([{ user: user({ id }), version }]);
    return (await bench.table.values(id, ['first_name']))[0];
  }

  test('are one: the pod that came last writes, and the one that it follows no more', async () => {
    const outlived = await startDriver('pod z');
    assert.equal(await arrives(1n), 'pod z');
    await startDriver('pod a');
    await until('the later one to be ready', async () => (await drivers[1]?.status())?.ready, 150_000);
    assert.equal(await arrives(2n), 'pod a');
    await isTaken(outlived);
    for (let version = 3n; version < 20n; version += 1n) assert.equal(await arrives(version), 'pod a');
  });

  test('stay one when the process of the earlier pod is started again', async () => {
    await drivers[0]?.end('SIGKILL');
    await isTaken(await startDriver('pod z'));
    assert.equal(await arrives(20n), 'pod a');
    assert.equal((await drivers[1]?.status())?.ready, true);
  });
});

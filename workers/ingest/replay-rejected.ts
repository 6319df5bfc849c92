import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readConfig, sections } from '../lib/config.ts';
import { createLogger } from '../lib/logging.ts';
import { postgresError } from '../lib/postgres.ts';
import { openPool } from './pool.ts';
import { replayRejected } from './replay.ts';

// Run in a pod of ingest: `node workers/ingest/replay-rejected.ts [--overwrite]`.

const { values } = parseArgs({ options: { overwrite: { type: 'boolean', default: false } } });
const config = z.object({ fields: sections.fields, postgres: sections.postgres });
const { fields, postgres } = readConfig(config, process.env['USERSTREAM_CONFIG']);
const pool = openPool(postgres, process.env, createLogger('replay-rejected'));
try {
  const { accepted, standing, rejected } = await replayRejected(pool, values.overwrite, fields);
  console.log(`${accepted} rejected users are taken up, ${rejected} are still rejected`);
  if (standing > 0) console.log(`${standing} stand in users otherwise: --overwrite replaces those`);
} catch (error) {
  console.error(`replay-rejected: ${postgresError(postgres, error).message}`);
  process.exitCode = 1;
} finally {
  await pool.end();
}

import { cassandraSecret } from '../specs/cassandra.ts';
import { objectName } from '../specs/meta.ts';
import { type Check, firstFault, notReady, READY, stuck } from '../status/check.ts';
import { accessTo } from './access.ts';
import { NodeError } from './cassandra/node.ts';
import { isShrinking, scaleIn, withoutNote } from './cassandra/scale-in.ts';
import { ensureRing, holdsData, type Ring, readRing } from './cassandra/state.ts';
import { tend } from './cassandra/tend.ts';
import type { Context } from './step.ts';
import { statefulSetCheck } from './workload.ts';

/** The password is made once and kept: a ring with data knows that one alone, and would refuse any other. */
async function ensureSecret(context: Context): Promise<Check> {
  const { pipeline, cluster, password } = context;
  const name = objectName(pipeline, 'cassandra');
  const kept = (await cluster.secret(name))?.['password'];
  if (!kept && (await holdsData(context)))
    return stuck(
      'PasswordLost',
      `the ring holds data, and its password, in Secret ${name}, is gone: put the Secret back, from a backup or from the Spark driver, which knows the password while it runs; see "The password of the ring" in docs/runbooks/stores.md`,
    );
  await cluster.ensure(cassandraSecret(pipeline, { password: kept || password() }));
  return READY;
}

/** While a ring grows, pods that are on their way are nodes that join. */
function joining(check: Check, { upkeep, wanted }: Ring): Check {
  if (check.ready || wanted.nodes <= upkeep.nodes || !['Starting', 'Rolling'].includes(check.reason))
    return check;
  return notReady('Joining', `nodes join one after the other; ${check.message}`);
}

/** Brings a ring to its size and to its spec, then does what is due in it; not while another stage changes. */
async function ringCheck(ring: Ring): Promise<Check> {
  const { context, nodes, upkeep, wanted } = ring;
  const mayOperate = context.cluster.mode === 'write';
  const shrinks = isShrinking(ring);
  if (shrinks && mayOperate) return (await scaleIn(ring)) ?? (await ringCheck(withoutNote(ring)));
  const volumes = await ensureRing(ring, shrinks ? nodes : wanted.nodes, upkeep);
  const pods = await statefulSetCheck(context, 'cassandra');
  if (!pods.ready) return joining(pods, ring);
  return firstFault([volumes, mayOperate && context.provisioned ? await tend(ring) : READY]);
}

/** A managed Cassandra ring with its password, or the credentials of an existing one. */
export async function cassandra(context: Context): Promise<Check> {
  const { managed } = context.pipeline.spec.cassandra;
  const secret = managed ? await ensureSecret(context) : READY;
  if (!secret.ready) return secret;
  const access = await accessTo(context, ['CASSANDRA']);
  if ('missing' in access) return access.missing;
  if (!managed) {
    await context.cluster.ensureOnly('cassandra', []);
    return READY;
  }
  try {
    return await ringCheck(await readRing(context, access.build, managed));
  } catch (error) {
    if (error instanceof NodeError) return notReady('NodeUnreachable', error.message);
    throw error;
  }
}

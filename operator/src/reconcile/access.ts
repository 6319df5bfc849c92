import type { V1Secret } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { SECRET } from '../kube/kinds.ts';
import { access, type System } from '../specs/access.ts';
import type { BuildContext } from '../specs/images.ts';
import { hashSecret } from '../specs/meta.ts';
import { type Fault, stuck } from '../status/check.ts';
import type { Context } from './step.ts';

type NeededSecret = { name: string; keys: string[] };

/** The Secrets by which a client of `systems` gets in, with the keys that they must have. */
function neededSecrets(pipeline: Pipeline, systems: System[]): NeededSecret[] {
  return systems.flatMap((system) => {
    const { secretName, caSecret } = access(pipeline, system);
    const login = secretName ? [{ name: secretName, keys: ['username', 'password'] }] : [];
    return [...login, ...(caSecret ? [{ name: caSecret.name, keys: [caSecret.key] }] : [])];
  });
}

function fault({ name, keys }: NeededSecret, secret: V1Secret | undefined): string | undefined {
  if (!secret) return `Secret ${name} doesn't exist; create it with the keys ${keys.join(', ')}`;
  const missing = keys.filter((key) => !secret.data?.[key]);
  return missing.length > 0 ? `Secret ${name} lacks ${missing.join(', ')}; add what is missing` : undefined;
}

/** What a builder needs for a workload without pods: whatever the Secrets hold, it can be stopped. */
export function noAccess({ images }: Context): { build: BuildContext } {
  return { build: { images, secretHashes: {} } };
}

/**
 * What a builder needs for pods that get at `systems`: images, and the hashes of the Secrets, so that a changed one
 * rolls the pods. Or the check that says which Secret is missing.
 */
export async function accessTo(
  { pipeline, cluster, images }: Context,
  systems: System[],
): Promise<{ build: BuildContext } | { missing: Fault }> {
  const secretHashes: Record<string, string> = {};
  for (const need of neededSecrets(pipeline, systems)) {
    const secret = await cluster.get<V1Secret>(SECRET, need.name);
    const why = fault(need, secret);
    if (why) return { missing: stuck('SecretMissing', why) };
    secretHashes[need.name] = hashSecret(secret as { data?: Record<string, string> });
  }
  return { build: { images, secretHashes } };
}

import type { KubeClient } from '../../src/kube/client.ts';
import { isAlreadyExists } from '../../src/kube/errors.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { startPlayer } from './player.ts';

/** What the storage classes name as theirs. */
export const PROVISIONER = 'userstream.dev/faults';

const CLAIM = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
const VOLUME = { apiVersion: 'v1', kind: 'PersistentVolume' };

/** By these the scheduler says where the first pod of a claim goes, and the controller manager whose turn it is. */
const READY_TO_PROVISION = ['volume.kubernetes.io/selected-node', 'volume.kubernetes.io/storage-provisioner'];

type Claim = KubeObject & {
  spec: { accessModes: string[]; storageClassName: string; resources: { requests: { storage: string } } };
  status?: { phase?: string };
};

/**
 * Provisions volumes without a disk behind them, until it is stopped. The cluster's own provisioner holds itself to five
 * requests a second, which is too few for many pipelines at once.
 */
export function startVolumes(client: KubeClient): { stop(): Promise<void> } {
  const known = new Set<string>();
  return startPlayer(() => provision(client, known));
}

/** Makes a volume for each claim that has a node, and takes those away whose claim is gone. */
async function provision(client: KubeClient, known: Set<string>): Promise<void> {
  const { items } = await client.list<Claim>(CLAIM);
  const present = new Set(items.map(volumeName));
  for (const claim of items.filter((each) => isWaiting(each) && !known.has(volumeName(each)))) {
    await client.create(volumeFor(claim)).catch((error) => {
      if (!isAlreadyExists(error)) throw error;
    });
    known.add(volumeName(claim));
  }
  for (const name of [...known].filter((each) => !present.has(each))) {
    await client.delete({ ...VOLUME, name });
    known.delete(name);
  }
}

function isWaiting({ metadata, status }: Claim): boolean {
  return status?.phase === 'Pending' && READY_TO_PROVISION.every((name) => metadata.annotations?.[name]);
}

function volumeName({ metadata }: KubeObject): string {
  return `volume-${metadata.uid}`;
}

function volumeFor(claim: Claim): KubeObject {
  const { namespace, name, uid } = claim.metadata;
  return {
    ...VOLUME,
    metadata: { name: volumeName(claim) },
    spec: {
      capacity: claim.spec.resources.requests,
      accessModes: claim.spec.accessModes,
      storageClassName: claim.spec.storageClassName,
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { ...CLAIM, namespace, name, uid },
      hostPath: { path: '/nowhere' },
    },
  };
}

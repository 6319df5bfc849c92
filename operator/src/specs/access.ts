import type { V1EnvVar, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { kafkaConnection } from './kafka-connection.ts';
import { objectName } from './meta.ts';
import { secretVolume } from './pod.ts';

/** A system that a worker talks to, by the prefix of its environment variables. */
export type System =
  | 'POSTGRES'
  | 'KAFKA'
  | 'SCHEMA_REGISTRY'
  | 'CASSANDRA'
  // The same stores for the audit, which may only read.
  | 'AUDIT_POSTGRES'
  | 'AUDIT_CASSANDRA';

/** The audit's roles that are the pipeline's own to make: those in what is managed. */
export function auditRoles({ spec }: Pipeline): System[] {
  return [
    ...(spec.postgres.external ? [] : (['AUDIT_POSTGRES'] as const)),
    ...(spec.cassandra.external ? [] : (['AUDIT_CASSANDRA'] as const)),
  ];
}

/** How clients of a system prove who they are, and which authority they trust. */
export type Access = { secretName?: string; caSecret?: { name: string; key: string } };

const CA_DIRECTORY = '/etc/userstream-ca';

type External = {
  secretRef?: { name: string } | undefined;
  tls?: { enabled: boolean; caSecretRef?: { name: string; key: string } | undefined };
};

function externalAccess({ secretRef, tls }: External): Access {
  return {
    ...(secretRef ? { secretName: secretRef.name } : {}),
    ...(tls?.enabled && tls.caSecretRef ? { caSecret: tls.caSecretRef } : {}),
  };
}

/** How the audit gets at a store: by its own role in a managed one, by what the resource names in an existing one. */
function auditAccess(
  pipeline: Pipeline,
  external: External | undefined,
  secretRef: External['secretRef'],
): Access {
  if (!external) return { secretName: objectName(pipeline, 'audit') };
  return externalAccess({ ...external, ...(secretRef ? { secretRef } : {}) });
}

/** How the pipeline's workers get at `system`. */
export function access(pipeline: Pipeline, system: System): Access {
  const { postgres, schemaRegistry, cassandra } = pipeline.spec;
  switch (system) {
    case 'POSTGRES':
      if (postgres.external) return externalAccess(postgres.external);
      return { secretName: objectName(pipeline, 'postgres') };
    case 'CASSANDRA':
      if (cassandra.external) return externalAccess(cassandra.external);
      return { secretName: objectName(pipeline, 'cassandra') };
    case 'AUDIT_POSTGRES':
      return auditAccess(pipeline, postgres.external, pipeline.spec.audit.postgresSecretRef);
    case 'AUDIT_CASSANDRA':
      return auditAccess(pipeline, cassandra.external, pipeline.spec.audit.cassandraSecretRef);
    case 'SCHEMA_REGISTRY':
      return externalAccess(schemaRegistry.external ?? {});
    case 'KAFKA': {
      const { secretName, caSecret } = kafkaConnection(pipeline);
      return { ...(secretName ? { secretName } : {}), ...(caSecret ? { caSecret } : {}) };
    }
  }
}

const directory = (system: System) => `${CA_DIRECTORY}/${system.toLowerCase().replaceAll('_', '-')}`;
const volumeName = (system: System) => `${system.toLowerCase().replaceAll('_', '-')}-ca`;

/** Where a container with `accessMounts` finds the CA's certificate of `system`. */
export const caFile = (system: System) => `${directory(system)}/ca.crt`;

/** `<SYSTEM>_USERNAME`, `<SYSTEM>_PASSWORD` and `<SYSTEM>_CA_FILE` of each system, where it has them. */
export function accessEnv(pipeline: Pipeline, systems: System[]): V1EnvVar[] {
  return systems.flatMap((system) => {
    const { secretName, caSecret } = access(pipeline, system);
    const credential = (name: string, key: string) => ({
      name: `${system}_${name}`,
      valueFrom: { secretKeyRef: { name: secretName ?? '', key } },
    });
    return [
      ...(secretName ? [credential('USERNAME', 'username'), credential('PASSWORD', 'password')] : []),
      ...(caSecret ? [{ name: `${system}_CA_FILE`, value: caFile(system) }] : []),
    ];
  });
}

const withCa = (pipeline: Pipeline, systems: System[]) =>
  systems.flatMap((system) => {
    const { caSecret } = access(pipeline, system);
    return caSecret ? [{ system, caSecret }] : [];
  });

export function accessVolumes(pipeline: Pipeline, systems: System[]): V1Volume[] {
  return withCa(pipeline, systems).map(({ system, caSecret }) =>
    secretVolume(volumeName(system), caSecret.name, { [caSecret.key]: 'ca.crt' }),
  );
}

export function accessMounts(pipeline: Pipeline, systems: System[]): V1VolumeMount[] {
  return withCa(pipeline, systems).map(({ system }) => ({
    name: volumeName(system),
    mountPath: directory(system),
    readOnly: true,
  }));
}

/** The names of the Secrets that a pod with access to `systems` reads. */
export function accessSecrets(pipeline: Pipeline, systems: System[]): string[] {
  const names = systems.flatMap((system) => {
    const { secretName, caSecret } = access(pipeline, system);
    return [secretName, caSecret?.name].filter((name) => name !== undefined);
  });
  return [...new Set(names)].sort();
}

/** The names of all Secrets that the pipeline's pods read: made by the operator or named by the resource. */
export function secretsOf(pipeline: Pipeline): string[] {
  const systems: System[] = ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA'];
  return accessSecrets(pipeline, [...systems, 'AUDIT_POSTGRES', 'AUDIT_CASSANDRA']);
}

/** The hashes of the Secrets that a pod with access to `systems` reads, to be part of its config hash. */
export function accessHashes(pipeline: Pipeline, systems: System[], hashes: Record<string, string> = {}) {
  return accessSecrets(pipeline, systems).map((name) => [name, hashes[name]]);
}

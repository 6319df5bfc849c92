import type {
  V1Container,
  V1PodSecurityContext,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Probe,
  V1SecurityContext,
  V1TopologySpreadConstraint,
  V1Volume,
} from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { CONFIG_HASH, type Component, labels, selectorLabels } from './meta.ts';

/** The users that the images run as. */
export const UID = { workers: 1000, spark: 185, postgres: 999, cassandra: 999, registry: 1001 } as const;

/** What the Pod Security standard "restricted" asks of a pod, and a group that may write its volumes. */
export function podSecurity(uid: number): V1PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: uid,
    runAsGroup: uid,
    fsGroup: uid,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** What "restricted" asks of a container, and a root file system that can't be written. */
export const containerSecurity: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};

const TMP: V1Volume = { name: 'tmp', emptyDir: {} };

/** The container with all that each of ours has in common. */
export function container(own: V1Container): V1Container {
  return {
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: containerSecurity,
    ...own,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...(own.volumeMounts ?? [])],
  };
}

export function podSpec(uid: number, own: V1PodSpec): V1PodSpec {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurity(uid),
    ...own,
    volumes: [TMP, ...(own.volumes ?? [])],
  };
}

/** A pod template whose pods are rolled when `configHash` changes. */
export function podTemplate(
  pipeline: Pipeline,
  component: Component,
  configHash: string,
  spec: V1PodSpec,
): V1PodTemplateSpec {
  return {
    metadata: { labels: labels(pipeline, component), annotations: { [CONFIG_HASH]: configHash } },
    spec,
  };
}

/** Pods of one component go to different nodes where there are several. */
export function spread(pipeline: Pipeline, component: Component): V1TopologySpreadConstraint[] {
  return [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selectorLabels(pipeline, component) },
    },
  ];
}

type Probes = Required<Pick<V1Container, 'startupProbe' | 'livenessProbe' | 'readinessProbe'>>;
type Check = Pick<V1Probe, 'exec' | 'httpGet' | 'tcpSocket'>;

/**
 * The three probes of a container. `startSeconds` is how long it may take to begin; after that it is restarted when
 * `alive` fails for half a minute.
 */
export function probes(alive: Check, ready: Check, startSeconds: number): Probes {
  return {
    startupProbe: {
      ...alive,
      periodSeconds: 2,
      timeoutSeconds: 5,
      failureThreshold: Math.ceil(startSeconds / 2),
    },
    livenessProbe: { ...alive, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    readinessProbe: { ...ready, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
  };
}

export const http = (path: string): Check => ({ httpGet: { path, port: 'http' } });
export const exec = (...command: string[]): Check => ({ exec: { command } });
export const tcp = (port: string): Check => ({ tcpSocket: { port } });

/** A volume of the files of a ConfigMap. */
export function configVolume(name: string, configMapName: string): V1Volume {
  return { name, configMap: { name: configMapName } };
}

/** A volume of a Secret's values as files that the pod's group may read, nobody else. */
export function secretVolume(name: string, secretName: string, keys: Record<string, string>): V1Volume {
  const items = Object.entries(keys).map(([key, path]) => ({ key, path }));
  return { name, secret: { secretName, defaultMode: 0o440, items } };
}

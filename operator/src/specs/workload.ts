import type {
  V1DeploymentSpec,
  V1PersistentVolumeClaim,
  V1ServicePort,
  V1StatefulSetSpec,
} from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { type Component, labels, metadata, selectorLabels } from './meta.ts';
import { canonicalQuantity } from './quantities.ts';

/** A StatefulSet whose volumes go or stay with the pipeline as its deletionPolicy says, and always survive a scale-in. */
export function statefulSet(
  pipeline: Pipeline,
  component: Component,
  spec: Omit<V1StatefulSetSpec, 'selector' | 'persistentVolumeClaimRetentionPolicy' | 'serviceName'>,
  selector: Record<string, string> = {},
): KubeObject {
  const meta = metadata(pipeline, component);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: meta,
    spec: {
      serviceName: meta.name,
      selector: { matchLabels: { ...selectorLabels(pipeline, component), ...selector } },
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: pipeline.spec.deletionPolicy,
        whenScaled: 'Retain',
      },
      ...spec,
    },
  };
}

export function deployment(
  pipeline: Pipeline,
  component: Component,
  spec: Omit<V1DeploymentSpec, 'selector'>,
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(pipeline, component),
    spec: { selector: { matchLabels: selectorLabels(pipeline, component) }, ...spec },
  };
}

type ServiceOptions = { headless?: boolean; selector?: Record<string, string> };

/** A Service over a component's pods; a headless one gives each pod its name before it is ready, too. */
export function service(
  pipeline: Pipeline,
  component: Component,
  ports: Record<string, number>,
  { headless = false, selector = {} }: ServiceOptions = {},
): KubeObject {
  const named: V1ServicePort[] = Object.entries(ports).map(([name, port]) => ({
    name,
    port,
    targetPort: name,
  }));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(pipeline, component),
    spec: {
      ...(headless ? { clusterIP: 'None', publishNotReadyAddresses: true } : {}),
      selector: { ...selectorLabels(pipeline, component), ...selector },
      ports: named,
    },
  };
}

/** The claim of each pod of a StatefulSet. It has no owner but the StatefulSet, and that by the retention policy alone. */
export function volumeClaim(
  pipeline: Pipeline,
  component: Component,
  name: string,
  storage: { size: string | number; className?: string | undefined },
): V1PersistentVolumeClaim {
  return {
    metadata: { name, labels: labels(pipeline, component) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(storage.className ? { storageClassName: storage.className } : {}),
      resources: { requests: { storage: canonicalQuantity(storage.size) } },
    },
  };
}

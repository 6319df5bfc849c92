/** A kind as the API server serves it. */
export type Kind = { apiVersion: string; kind: string };

type Resource = { plural: string; namespaced: boolean };

const namespaced = (plural: string): Resource => ({ plural, namespaced: true });
const clusterWide = (plural: string): Resource => ({ plural, namespaced: false });

const RESOURCES: Record<string, Record<string, Resource>> = {
  v1: {
    ConfigMap: namespaced('configmaps'),
    Event: namespaced('events'),
    Namespace: clusterWide('namespaces'),
    Node: clusterWide('nodes'),
    PersistentVolume: clusterWide('persistentvolumes'),
    PersistentVolumeClaim: namespaced('persistentvolumeclaims'),
    Pod: namespaced('pods'),
    Secret: namespaced('secrets'),
    Service: namespaced('services'),
    ServiceAccount: namespaced('serviceaccounts'),
  },
  'apps/v1': {
    Deployment: namespaced('deployments'),
    ReplicaSet: namespaced('replicasets'),
    StatefulSet: namespaced('statefulsets'),
  },
  'batch/v1': { Job: namespaced('jobs'), CronJob: namespaced('cronjobs') },
  'rbac.authorization.k8s.io/v1': {
    ClusterRole: clusterWide('clusterroles'),
    ClusterRoleBinding: clusterWide('clusterrolebindings'),
    Role: namespaced('roles'),
    RoleBinding: namespaced('rolebindings'),
  },
  'policy/v1': { PodDisruptionBudget: namespaced('poddisruptionbudgets') },
  'networking.k8s.io/v1': { NetworkPolicy: namespaced('networkpolicies') },
  'coordination.k8s.io/v1': { Lease: namespaced('leases') },
  'events.k8s.io/v1': { Event: namespaced('events') },
  'storage.k8s.io/v1': { StorageClass: clusterWide('storageclasses') },
  'admissionregistration.k8s.io/v1': {
    ValidatingAdmissionPolicy: clusterWide('validatingadmissionpolicies'),
    ValidatingAdmissionPolicyBinding: clusterWide('validatingadmissionpolicybindings'),
    ValidatingWebhookConfiguration: clusterWide('validatingwebhookconfigurations'),
  },
  'apiextensions.k8s.io/v1': { CustomResourceDefinition: clusterWide('customresourcedefinitions') },
  'userstream.dev/v1alpha1': { UserStreamPipeline: namespaced('userstreampipelines') },
  'kafka.strimzi.io/v1': {
    Kafka: namespaced('kafkas'),
    KafkaNodePool: namespaced('kafkanodepools'),
    KafkaTopic: namespaced('kafkatopics'),
    KafkaUser: namespaced('kafkausers'),
  },
};

/**
 * The path of a collection, or of one object where `name` is given.
 * Without a namespace, a namespaced kind's path means all namespaces.
 * Throws when the kind isn't one we use.
 */
export function resourcePath(
  target: Kind & { namespace?: string; name?: string },
  subresource?: string,
): string {
  const resource = RESOURCES[target.apiVersion]?.[target.kind];
  if (!resource) {
    throw new Error(`no path is known for ${target.apiVersion} ${target.kind}: add it to kube/resources.ts`);
  }
  if (resource.namespaced && target.name && !target.namespace) {
    throw new Error(`${target.kind} ${target.name} needs a namespace`);
  }
  const segments = [target.apiVersion === 'v1' ? 'api/v1' : `apis/${target.apiVersion}`];
  if (resource.namespaced && target.namespace) {
    segments.push('namespaces', encodeURIComponent(target.namespace));
  }
  segments.push(resource.plural);
  if (target.name) segments.push(encodeURIComponent(target.name));
  if (subresource) segments.push(subresource);
  return `/${segments.join('/')}`;
}

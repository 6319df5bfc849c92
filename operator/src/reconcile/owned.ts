import { CONFIG_MAP, DEPLOYMENT, SECRET, STATEFUL_SET } from '../kube/kinds.ts';
import type { Kind } from '../kube/resources.ts';

/** Who applies: the name under which the API server notes which fields are the operator's. */
export const FIELD_MANAGER = 'userstream-operator';

const STRIMZI_API = 'kafka.strimzi.io/v1';
export const KAFKA: Kind = { apiVersion: STRIMZI_API, kind: 'Kafka' };
export const KAFKA_NODE_POOL: Kind = { apiVersion: STRIMZI_API, kind: 'KafkaNodePool' };
export const KAFKA_TOPIC: Kind = { apiVersion: STRIMZI_API, kind: 'KafkaTopic' };

/** Strimzi's kinds, which are served only where Strimzi is installed. */
export const STRIMZI: Kind[] = [KAFKA_TOPIC, KAFKA, KAFKA_NODE_POOL];

/**
 * What a component may own and lose again when its spec no longer wants it, in the order in which it goes: a topic's
 * finalizer needs the Kafka it is in, a workload its configuration. Volumes, pods and Jobs are their steps' own affair.
 */
export const OWNED: Kind[] = [
  ...STRIMZI,
  STATEFUL_SET,
  DEPLOYMENT,
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'v1', kind: 'Service' },
  CONFIG_MAP,
  SECRET,
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
];

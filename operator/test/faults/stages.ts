/** What kwok plays: the kubelets of nodes that don't exist, the resizer of volumes, and Strimzi's operator. */

export const NO_SUCH_IMAGE = 'registry.invalid/no-such-image:1';

type Expression = { key: string; operator: string; values?: string[] };

const has = (key: string): Expression => ({ key, operator: 'Exists' });
const lacks = (key: string): Expression => ({ key, operator: 'DoesNotExist' });
const among = (key: string, ...values: string[]): Expression => ({ key, operator: 'In', values });
const other = (key: string, ...values: string[]): Expression => ({ key, operator: 'NotIn', values });

function stage(name: string, apiGroup: string, kind: string, when: Expression[], next: object) {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup, kind }, selector: { matchExpressions: when }, next },
  };
}

const pod = (name: string, when: Expression[], next: object) => stage(name, 'v1', 'Pod', when, next);

const status = (statusTemplate: string) => ({ statusTemplate });

const IMAGES = '.spec.containers.[].image';
const DELETED = '.metadata.deletionTimestamp';
const STARTED = '.status.podIP';

/** They have been so for long, or whoever asks for pods to be ready for some seconds would wait. */
const SINCE = '"2026-01-01T00:00:00Z"';

const CONDITIONS = (ready: boolean) => `
conditions:
${['Initialized', 'Ready', 'ContainersReady']
  .map((type) => ({ type, status: ready || type === 'Initialized' ? 'True' : 'False' }))
  .map(({ type, status }) => `- { type: ${type}, status: "${status}", lastTransitionTime: ${SINCE} }`)
  .join('\n')}`;

const container = (ready: boolean, state: string) => `
containerStatuses:
{{ range .spec.containers }}
- { name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: ${ready}, restartCount: 0, state: ${state} }
{{ end }}`;

const ADDRESS = `
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName false ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
startTime: {{ Now | Quote }}`;

const running = `phase: Running${CONDITIONS(true)}${container(true, '{ running: { startedAt: {{ Now | Quote }} } }')}${ADDRESS}`;

const waiting = `phase: Pending${CONDITIONS(false)}${container(
  false,
  '{ waiting: { reason: ImagePullBackOff, message: there is no such image } }',
)}`;

const completed = `phase: Succeeded${container(false, '{ terminated: { exitCode: 0, reason: Completed } }')}`;

const pods = [
  pod('pod-ready', [lacks(DELETED), lacks(STARTED), other(IMAGES, NO_SUCH_IMAGE)], status(running)),
  pod(
    'pod-without-image',
    [lacks(DELETED), lacks('.status.containerStatuses'), among(IMAGES, NO_SUCH_IMAGE)],
    status(waiting),
  ),
  pod(
    'pod-complete',
    [lacks(DELETED), among('.status.phase', 'Running'), among('.metadata.ownerReferences.[].kind', 'Job')],
    status(completed),
  ),
  pod('pod-delete', [has(DELETED)], { finalizers: { empty: true }, delete: true }),
];

const grown = stage(
  'claim-grown',
  'v1',
  'PersistentVolumeClaim',
  [
    among('.status.phase', 'Bound'),
    other('.status.capacity.storage == .spec.resources.requests.storage | tostring', 'true'),
  ],
  status('capacity: { storage: {{ .spec.resources.requests.storage }} }'),
);

const kafka = stage(
  'kafka-ready',
  'kafka.strimzi.io/v1',
  'Kafka',
  [lacks(DELETED), other('.status.observedGeneration == .metadata.generation | tostring', 'true')],
  status('observedGeneration: {{ .metadata.generation }}\nconditions: [{ type: Ready, status: "True" }]'),
);

/** The stages for kwok's `--config`. */
export const STAGES: object[] = [...pods, grown, kafka];

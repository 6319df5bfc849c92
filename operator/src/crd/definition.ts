import { GROUP, KIND, pipelineSpec, VERSION } from '../api/pipeline.ts';
import { pipelineStatus } from '../api/status.ts';
import { TRANSITIONS } from '../api/transitions.ts';
import { type JsonSchema, structuralSchema } from './structural.ts';

export const PLURAL = 'userstreampipelines';

const column = (name: string, type: string, jsonPath: string, description: string) => ({
  name,
  type,
  jsonPath,
  description,
});

const READY = '.status.conditions[?(@.type=="Ready")]';

const columns = [
  column('Ready', 'string', `${READY}.status`, 'Whether users flow.'),
  column('Reason', 'string', `${READY}.reason`, 'Why, in a word.'),
  { ...column('Message', 'string', `${READY}.message`, 'Why, and what to do next.'), priority: 1 },
  column(
    'Users/min',
    'integer',
    '.status.figures.usersPerMinute',
    'Users that reached Cassandra in the last minute.',
  ),
  column('Lag', 'integer', '.status.figures.lagRecords', 'Records that Spark has yet to read.'),
  column('Age', 'date', '.metadata.creationTimestamp', 'Time since it was created.'),
];

/** Leaves room for the longest name derived from it in 63 characters: a NAME-cassandra with its revision, NAME-cassandra-HASH. */
export const LONGEST_NAME = 40;
/** Strimzi names a pod by its cluster, its pool and its number: NAME-NAME-controllers-100. */
export const LONGEST_STRIMZI_NAME = 23;

const nameRules = [
  {
    rule: `size(self.metadata.name) <= ${LONGEST_NAME}`,
    message: `metadata.name must be at most ${LONGEST_NAME} characters: the names of its parts are made from it`,
  },
  {
    rule: `!has(self.spec.kafka.strimzi) || size(self.metadata.name) <= ${LONGEST_STRIMZI_NAME}`,
    message: `metadata.name must be at most ${LONGEST_STRIMZI_NAME} characters with kafka.strimzi: Strimzi's pods carry it twice`,
  },
  {
    rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message: 'metadata.name must begin with a letter and hold only a-z, 0-9 and -: it names Services',
  },
];

/** The schema of the whole resource. */
export function openApiSchema(): JsonSchema {
  return {
    type: 'object',
    description:
      'A pipeline that carries users from an HTTP API through Postgres, Kafka and Spark into Cassandra.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Version of this schema.' },
      kind: { type: 'string', description: 'Kind of the object.' },
      metadata: { type: 'object' },
      spec: structuralSchema(pipelineSpec),
      status: structuralSchema(pipelineStatus),
    },
    'x-kubernetes-validations': [...nameRules, ...TRANSITIONS],
  };
}

/** The CustomResourceDefinition of UserStreamPipeline. Kept on `helm uninstall`: deleting it deletes every pipeline. */
export function customResourceDefinition() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${PLURAL}.${GROUP}`,
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['usp'],
        categories: ['userstream'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: openApiSchema() },
        },
      ],
    },
  };
}

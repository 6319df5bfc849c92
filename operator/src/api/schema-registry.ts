import { z } from 'zod';
import { ATOMIC, exactlyOne, resources, secretRef } from './parts.ts';
import { image, integer, url } from './scalars.ts';

const managed = z
  .object({
    image: image("Image of Apicurio Registry 3; the operator's own choice where it is left out.").optional(),
    replicas: integer('How many pods serve.', 1, 5).default(1),
    resources: resources({ cpu: '50m', memory: '384Mi' }, { memory: '1Gi' }),
  })
  .meta({ description: 'An Apicurio Registry of the pipeline’s own, which keeps its schemas in Kafka.' });

const external = z
  .object({
    url: url('Address of its Confluent-compatible API.', 'put them into a Secret, and name it by secretRef'),
    secretRef: secretRef('A Secret with username and password for basic authentication.').optional(),
  })
  .meta({ description: 'An existing schema registry with the Confluent-compatible API.' });

export const schemaRegistry = z
  .object({ managed: managed.optional(), external: external.optional() })
  .default({ managed: managed.parse({}) })
  .meta({
    description: 'Where the Avro schema of a user is kept: a managed registry or an existing one.',
    ...ATOMIC,
    'x-kubernetes-validations': [exactlyOne('managed', 'external')],
  });

import { z } from 'zod';
import { objectName, quantity, text } from './scalars.ts';

const cpu = quantity('CPUs, as in 500m or 2.').optional();
const memory = quantity('Memory, as in 512Mi or 2Gi.').optional();

const amounts = (description: string) => z.object({ cpu, memory }).default({}).meta({ description });

export type Amounts = { cpu?: string | number | undefined; memory?: string | number | undefined };

/** Requests and limits of a container; `requests` are what it gets where the resource names none. */
export function resources(requests: { cpu: string; memory: string }, limits: { memory: string }) {
  return z
    .object({
      requests: amounts('What the scheduler sets aside for the container.').default(requests),
      limits: amounts('What the container may not exceed.').default(limits),
    })
    .prefault({})
    .meta({ description: 'Compute resources of the container.' });
}

/** The same of Spark's executors, for which Spark sets aside as much memory as they may use. */
export function executorResources(requests: { cpu: string }, limits: { memory: string }) {
  const requested = z.object({ cpu }).default({}).meta({
    description: 'What the scheduler sets aside for the container, beside the memory of its limits.',
  });
  return z
    .object({
      requests: requested.default(requests),
      limits: amounts('What the container may not exceed.').default(limits),
    })
    .prefault({})
    .meta({
      description: 'Compute resources of the container.',
      'x-kubernetes-validations': [
        {
          rule: `${lacks('requests.cpu')} || ${lacks('limits.cpu')} || ${quantityOf('self.requests.cpu')}.compareTo(${quantityOf('self.limits.cpu')}) <= 0`,
          fieldPath: '.requests',
          message:
            'requests.cpu must not exceed limits.cpu: Kubernetes would take no executor; raise limits.cpu, or lower requests.cpu',
        },
      ],
    });
}

/** The volume of each pod; `transitions.ts` says how it may change. */
export function storage(size: string) {
  return z
    .object({
      size: quantity(
        'Size of the volume. It can grow where the storage class allows that, never shrink.',
      ).default(size),
      className: objectName(
        "Storage class of the volume; the cluster's default where it is left out.",
      ).optional(),
    })
    .prefault({})
    .meta({
      description: 'The persistent volume of each pod.',
      'x-kubernetes-validations': [atLeast('size', '1Mi', 'a volume without room holds nothing')],
    });
}

/** A reference to a Secret with the keys `username` and `password`. */
export function secretRef(description: string) {
  return z
    .object({ name: objectName('Name of the Secret, in the namespace of the pipeline.') })
    .meta({ description });
}

export const tls = z
  .object({
    enabled: z.boolean().default(false).meta({ description: 'Whether connections are encrypted.' }),
    caSecretRef: z
      .object({
        name: objectName('Name of the Secret, in the namespace of the pipeline.'),
        key: text('Key of the certificate in the Secret.', 253).default('ca.crt'),
      })
      .optional()
      .meta({
        description: "A Secret with the CA's certificate (PEM); the system's CAs where it is left out.",
      }),
  })
  .prefault({})
  .meta({
    description: 'Encryption of the connection.',
    'x-kubernetes-validations': [
      {
        rule: '!has(self.caSecretRef) || (has(self.enabled) && self.enabled)',
        message: 'tls.caSecretRef is of use only with tls.enabled: true; set it, or leave caSecretRef out',
      },
    ],
  });

/**
 * An object that server-side apply replaces as a whole: else a `managed` that was filled in by default, which nobody
 * owns, would stay beside the `external` that is applied.
 */
export const ATOMIC = { 'x-kubernetes-map-type': 'atomic' };

/**
 * The CEL expression that a field, or what it is in, isn't given. The API server checks a rule against the default {} of a
 * parent, too, before it fills in what is below.
 */
export function lacks(field: string): string {
  const names = field.split('.');
  return names.map((_, index) => `!has(self.${names.slice(0, index + 1).join('.')})`).join(' || ');
}

/** The CEL expression of the quantity at a path, which may be a number or a text. */
export const quantityOf = (path: string) => `quantity(string(${path}))`;

/** The CEL rule that a quantity, where it is given, is at least so much. */
export function atLeast(field: string, least: string, why: string) {
  return {
    rule: `${lacks(field)} || ${quantityOf(`self.${field}`)}.compareTo(quantity('${least}')) >= 0`,
    fieldPath: `.${field}`,
    message: `${field} must be at least ${least}: ${why}`,
  };
}

/** The CEL rule that exactly one of two optional siblings is set. */
export function exactlyOne(first: string, second: string) {
  return {
    rule: `has(self.${first}) != has(self.${second})`,
    message: `set exactly one of ${first} and ${second}; ${first}: null gives up one that is there already`,
  };
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { USER_AGENT } from './proxy.ts';

/** Every finished write, by whomever, without bodies. */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    {
      level: 'None',
      resources: [
        { group: '', resources: ['events'] },
        { group: 'events.k8s.io', resources: ['events'] },
        { group: 'coordination.k8s.io', resources: ['leases'] },
      ],
    },
    { level: 'Metadata' },
  ],
};

/** One creation or removal of an object; what gets its name from the API server has none here. */
export type Deed = { verb: 'create' | 'delete'; resource: string; name: string };

type Entry = {
  verb: string;
  userAgent?: string;
  objectRef?: { resource: string; namespace?: string; name?: string; subresource?: string };
  responseStatus?: { code?: number };
};

/** What the API server's audit log says was made and removed, namespace by namespace. */
export class AuditLog {
  readonly #file: string;
  readonly #deeds = new Map<string, Deed[]>();
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** What was made and removed in a namespace so far. */
  deeds(namespace: string): Deed[] {
    const lines = (this.#rest + this.#read()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(JSON.parse(line));
    return this.#deeds.get(namespace) ?? [];
  }

  #take({ objectRef, ...entry }: Entry): void {
    const done = objectRef && deed(entry, objectRef.resource);
    if (!done || !objectRef.namespace || objectRef.subresource) return;
    const { namespace, resource, name = '' } = objectRef;
    const deeds = this.#deeds.get(namespace) ?? [];
    this.#deeds.set(namespace, [...deeds, { verb: done, resource, name }]);
  }

  #read(): string {
    const file = openSync(this.#file, 'r');
    try {
      const buffer = Buffer.alloc(fstatSync(file).size - this.#offset);
      this.#offset += readSync(file, buffer, 0, buffer.length, this.#offset);
      return buffer.toString();
    } finally {
      closeSync(file);
    }
  }
}

/**
 * By whomever it was made; but Kubernetes' own controllers may ask several times for one removal, and make a pod once more
 * when what they have seen is behind: that a workload rolled shows in the workload.
 */
function deed(
  { verb, userAgent, responseStatus }: Omit<Entry, 'objectRef'>,
  resource: string,
): Deed['verb'] | undefined {
  const isOperators = userAgent === USER_AGENT;
  if (responseStatus?.code === 201) return isOperators || resource !== 'pods' ? 'create' : undefined;
  return verb === 'delete' && responseStatus?.code === 200 && isOperators ? 'delete' : undefined;
}

import { GROUP, KIND, VERSION } from '../src/api/pipeline.ts';
import { customResourceDefinition, PLURAL } from '../src/crd/definition.ts';
import type { KubeObject } from '../src/kube/object.ts';
import type { ApiServer } from './apiserver.ts';
import { until } from './until.ts';

export const NAMESPACE = 'team';

export const SPEC = {
  source: { url: 'https://randomuser.me/api/1.4/' },
  kafka: { external: { bootstrapServers: 'kafka.kafka.svc:9092' } },
};

/** A pipeline of the least spec that runs, and what is given over it. */
export function pipelineObject(name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { namespace: NAMESPACE, name },
    spec: { ...SPEC, ...spec },
  };
}

/** Makes the API server take pipelines. */
export async function serve({ adminClient }: ApiServer): Promise<void> {
  await adminClient.apply(customResourceDefinition(), { fieldManager: 'test' });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await adminClient.apply(namespace, { fieldManager: 'test' });
  const served = () => adminClient.raw(`/apis/${GROUP}/${VERSION}`).then((text) => text.includes(PLURAL));
  await until('pipelines are served', () => served().catch(() => false));
}

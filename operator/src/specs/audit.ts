import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import type { BuildContext } from './images.ts';
import { metadata } from './meta.ts';
import { base64 } from './secrets.ts';
import { type Worker, workerObjects } from './worker.ts';

/** The audit's role in a managed Postgres and a managed Cassandra. */
const ROLE = 'userstream_audit';

/** The login of the audit's role. It opens nothing that outlives the pipeline: another password is set where it is made anew. */
export function auditSecret(pipeline: Pipeline, { password }: { password: string }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(pipeline, 'audit'),
    type: 'Opaque',
    data: base64({ username: ROLE, password }),
  };
}

/** ConfigMap and Deployment of the worker that compares the stores; without Spark, which a suspension ends, it can't. */
export function auditObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const worker: Worker = {
    component: 'audit',
    sections: ['pipeline', 'postgres', 'cassandra', 'audit'],
    systems: ['AUDIT_POSTGRES', 'AUDIT_CASSANDRA'],
    resources: pipeline.spec.audit.resources,
  };
  return workerObjects(pipeline, worker, pipeline.spec.suspend ? 0 : 1, context);
}

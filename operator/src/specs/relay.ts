import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import type { BuildContext } from './images.ts';
import { type Worker, workerObjects } from './worker.ts';

/** ConfigMap and Deployment of the worker that carries changes from Postgres to Kafka. */
export function relayObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const { replicas, resources } = pipeline.spec.relay;
  const worker: Worker = {
    component: 'relay',
    sections: ['pipeline', 'postgres', 'kafka', 'schemaRegistry'],
    systems: ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY'],
    resources,
  };
  return workerObjects(pipeline, worker, replicas, context);
}

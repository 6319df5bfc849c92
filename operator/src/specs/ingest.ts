import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import type { BuildContext } from './images.ts';
import { type Worker, workerObjects } from './worker.ts';

/** ConfigMap and Deployment of the worker that fetches users into Postgres; a suspended pipeline has no pods of it. */
export function ingestObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const { replicas, resources } = pipeline.spec.ingest;
  const worker: Worker = {
    component: 'ingest',
    sections: ['pipeline', 'source', 'postgres'],
    systems: ['POSTGRES'],
    resources,
  };
  return workerObjects(pipeline, worker, pipeline.spec.suspend ? 0 : replicas, context);
}

import { z } from 'zod';
import { type Field, fields } from '../api/fields.ts';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import type { BuildContext } from './images.ts';
import { type Worker, workerObjects } from './worker.ts';

/** ConfigMap and Deployment of the worker that fetches users into Postgres; a suspended pipeline has no pods of it. */
export function ingestObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const { replicas, resources } = pipeline.spec.ingest;
  const worker: Worker = {
    component: 'ingest',
    sections: ['pipeline', 'source', 'fields', 'postgres'],
    systems: ['POSTGRES'],
    resources,
  };
  return workerObjects(pipeline, worker, pipeline.spec.suspend ? 0 : replicas, context);
}

/** The fields that the text of a `config.json` tells of; none where it says nothing that can be read. */
export function fieldsTold(configJson = '{}'): Field[] {
  try {
    return z.object({ fields }).parse(JSON.parse(configJson)).fields;
  } catch {
    return [];
  }
}

import type { V1Job } from '@kubernetes/client-node';
import type { PipelineKey } from '../../operator/src/api/names.ts';
import { serviceHost } from '../../operator/src/specs/meta.ts';

const HOUR_S = 3600;

/**
 * The Job that erases user `id`: the pod of the pipeline's provision Job, which knows every store and may use it, with
 * another command. It takes itself away an hour after it has ended.
 */
export function eraseJob(pipeline: PipelineKey, provision: V1Job, id: string): V1Job {
  const spec = provision.spec?.template.spec;
  const [container, ...more] = spec?.containers ?? [];
  if (!spec || !container || more.length > 0)
    throw new Error(`Job ${provision.metadata?.name} has no container`);
  const labels = {
    'app.kubernetes.io/name': 'userstream',
    'app.kubernetes.io/instance': pipeline.name,
    'app.kubernetes.io/component': 'erase',
    'app.kubernetes.io/part-of': 'userstream',
  };
  const driverUrl = `http://${serviceHost(pipeline, 'spark')}:8080`;
  const command = ['node', 'workers/erase/main.ts', id, driverUrl];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { generateName: `${pipeline.name}-erase-`, labels },
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: HOUR_S,
      ttlSecondsAfterFinished: HOUR_S,
      template: {
        metadata: { labels },
        spec: { ...spec, restartPolicy: 'Never', containers: [{ ...container, name: 'erase', command }] },
      },
    },
  };
}

/** The provision Job that was made last. */
export function newest(jobs: V1Job[]): V1Job | undefined {
  const made = ({ metadata }: V1Job) => String(metadata?.creationTimestamp ?? '');
  return jobs.toSorted((a, b) => made(b).localeCompare(made(a)))[0];
}

import type { V1Pod } from '@kubernetes/client-node';
import { type Check, READY, stuck } from './check.ts';

/** The major version that an image's tag tells: 16 of `registry:5000/postgres:16.4@sha256:…`; undefined of one such as `latest`. */
function majorVersion(image: string): string | undefined {
  return /:(\d+)[^/]*$/.exec(image.split('@')[0] ?? '')?.[1];
}

/** Whether the start script has refused the volume: then its data isn't of the version that the image has. */
function refusesItsData({ status }: V1Pod): boolean {
  const ends = status?.containerStatuses?.flatMap(({ state, lastState }) => [state, lastState]) ?? [];
  return ends.some((end) => /the volume holds data of Postgres \d/.test(end?.terminated?.message ?? ''));
}

/**
 * Whether Postgres, which runs the image `has`, could read its data as `wanted`: no major version reads another's. What a
 * tag doesn't tell is left to the start script, and so is the way back from an image that the script has refused.
 */
export function versionCheck(has: string, wanted: string, pods: V1Pod[]): Check {
  const [before, after] = [majorVersion(has), majorVersion(wanted)];
  if (!before || !after || before === after || pods.some(refusesItsData)) return READY;
  const why = `Postgres goes on as ${has}: ${wanted}, as postgres.managed.image or else the operator's images.postgres asks, is another major version and can't read its data`;
  const wayOut = 'set it back; to change the version, dump the data and restore it into a new pipeline';
  return { ...stuck('PostgresMajorVersion', `${why}; ${wayOut}`), holds: false };
}

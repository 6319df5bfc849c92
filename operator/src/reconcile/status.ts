import { isDeepStrictEqual } from 'node:util';
import type { Condition, PipelineStatus } from '../api/status.ts';
import type { KubeClient } from '../kube/client.ts';
import { inSeconds } from '../kube/clock.ts';
import type { EventText } from '../kube/events.ts';
import type { KubeObject } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import type { Check } from '../status/check.ts';
import { conditions, type Seen, unlooked } from '../status/conditions.ts';
import type { Verdict } from '../status/reports.ts';
import { transitions } from '../status/transitions.ts';
import { FIELD_MANAGER } from './owned.ts';
import type { PipelineObject } from './pipeline-object.ts';

/** What a status is written with. */
export type StatusWriter = {
  client: KubeClient;
  now(): Date;
  /** Writes an event on the resource; must not throw. */
  record(object: KubeObject, text: EventText): void;
};

/**
 * What was found: conditions are made of it, of all that was `seen`, or of the `whole` alone. What is left out here stays
 * in the status as it was.
 */
export type Findings = ({ seen: Seen } | { whole: Check }) & {
  suspended?: boolean;
  endpoints?: NonNullable<PipelineStatus['endpoints']>;
  /** What the audit says, and its figures where it tells any. */
  intact?: Verdict;
  audit?: NonNullable<PipelineStatus['audit']> | undefined;
  /** Told where there are any. */
  volumes?: NonNullable<PipelineStatus['volumes']>;
};

function newStatus(object: PipelineObject, findings: Findings, now: Date): PipelineStatus {
  const { suspended, endpoints, intact, audit } = findings;
  const { volumes: before, ...status } = object.status ?? {};
  const { generation = 0 } = object.metadata;
  const volumes = 'seen' in findings ? findings.volumes : before;
  const context = [status.conditions ?? [], generation, inSeconds(now)] as const;
  return {
    ...status,
    ...(endpoints ? { endpoints } : {}),
    ...(audit ? { audit } : {}),
    ...(volumes?.length ? { volumes } : {}),
    observedGeneration: generation,
    conditions:
      'seen' in findings
        ? conditions(findings.seen, ...context, { suspended, intact })
        : unlooked(findings.whole, ...context),
  };
}

/** Writes `status` on the very object that was read: one that has changed meanwhile is a Conflict. */
export async function applyStatus(client: KubeClient, object: PipelineObject, status: PipelineStatus) {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace = '' } = metadata;
  return await client.applyStatus<PipelineObject>(
    { apiVersion, kind, metadata: { name, namespace }, status },
    { fieldManager: FIELD_MANAGER, preconditions: asKnown(object) },
  );
}

/** Writes that the stores may hold data from now on; answers the object as it now stands. */
export async function noteData(
  { client, now }: StatusWriter,
  object: PipelineObject,
): Promise<PipelineObject> {
  return await applyStatus(client, object, { ...object.status, dataSince: inSeconds(now()) });
}

/** Writes when a deleted pipeline began to be taken apart, where it hasn't been yet; answers the object as it now stands. */
export async function noteTeardown(
  { client }: StatusWriter,
  object: PipelineObject,
  now: Date,
): Promise<PipelineObject> {
  if (object.status?.teardownSince) return object;
  return await applyStatus(client, object, { ...object.status, teardownSince: inSeconds(now) });
}

/** Writes what was found, where it is new, and then an event for each transition; answers the object as it now stands. */
export async function writeStatus(
  { client, now, record }: StatusWriter,
  object: PipelineObject,
  findings: Findings,
): Promise<PipelineObject> {
  const status = newStatus(object, findings, now());
  if (isDeepStrictEqual(object.status, status)) return object;
  const written = await applyStatus(client, object, status);
  const before: Condition[] = object.status?.conditions ?? [];
  for (const text of transitions(before, status.conditions ?? [])) record(object, text);
  return written;
}

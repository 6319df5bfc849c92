import type { Kind } from './resources.ts';

// Kubernetes' own kinds that more than one place asks for.

export const CONFIG_MAP: Kind = { apiVersion: 'v1', kind: 'ConfigMap' };
export const DEPLOYMENT: Kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
export const JOB: Kind = { apiVersion: 'batch/v1', kind: 'Job' };
export const POD: Kind = { apiVersion: 'v1', kind: 'Pod' };
export const SECRET: Kind = { apiVersion: 'v1', kind: 'Secret' };
export const STATEFUL_SET: Kind = { apiVersion: 'apps/v1', kind: 'StatefulSet' };
export const VOLUME_CLAIM: Kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };

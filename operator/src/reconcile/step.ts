import type { Pipeline } from '../api/resource.ts';
import type { Condition, StageName } from '../api/status.ts';
import type { EventText } from '../kube/events.ts';
import type { Exec } from '../kube/exec.ts';
import type { Images } from '../specs/images.ts';
import type { Check } from '../status/check.ts';
import type { Report } from '../status/reports.ts';
import type { Cluster } from './cluster.ts';

/** All that a step may use. */
export type Context = {
  pipeline: Pipeline;
  /** The conditions as they stand, which the last reconcile wrote. */
  conditions: Condition[];
  /** Whether the stores were ever ready to hold data. */
  provisioned: boolean;
  /** Whether they are provisioned as this very spec asks: never before the gate has said so. */
  provisionedNow: boolean;
  images: Images;
  cluster: Cluster;
  /** Runs a command in a container of a pod. */
  exec: Exec;
  /** What the pipeline's workers say of themselves. */
  reports: Report[];
  /** A new random password of letters and digits. */
  password(): string;
  now(): Date;
  /** Writes an event on the resource. */
  tell(text: EventText): void;
};

/**
 * One step of a reconcile: applies its objects and says how far its part of the world has come.
 * `stage`: whose condition the answer becomes; without one it is that of the pipeline as a whole.
 * `gate`: nothing after it is begun before it was ready once.
 */
export type Step = {
  name: string;
  stage?: StageName;
  gate?: boolean;
  run(context: Context): Promise<Check>;
};

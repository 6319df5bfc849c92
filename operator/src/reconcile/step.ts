import type { Pipeline } from '../api/resource.ts';
import type { StageName } from '../api/status.ts';
import type { Images } from '../specs/images.ts';
import type { Check } from '../status/check.ts';
import type { Report } from '../status/reports.ts';
import type { Cluster } from './cluster.ts';

/** All that a step may use. */
export type Context = {
  pipeline: Pipeline;
  images: Images;
  cluster: Cluster;
  /** What the pipeline's workers say of themselves. */
  reports: Report[];
  /** A new random password of letters and digits. */
  password(): string;
};

/**
 * One step of a reconcile: applies its objects and says how far its part of the world has come.
 * `stage`: whose condition the answer becomes. `gate`: nothing after it is begun until it is ready.
 */
export type Step = {
  name: string;
  stage?: StageName;
  gate?: boolean;
  run(context: Context): Promise<Check>;
};

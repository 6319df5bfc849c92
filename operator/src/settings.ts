import { z } from 'zod';
import type { Images } from './specs/images.ts';

const environment = z.object({
  IMAGE_WORKERS: z.string().min(1),
  IMAGE_SPARK: z.string().min(1),
  IMAGE_POSTGRES: z.string().min(1),
  IMAGE_CASSANDRA: z.string().min(1),
  IMAGE_REGISTRY: z.string().min(1),
  POD_NAME: z.string().min(1),
  POD_NAMESPACE: z.string().min(1),
  LEASE_NAME: z.string().min(1).default('userstream-operator'),
  LEASE_DURATION_SECONDS: z.coerce.number().int().min(1).max(300).default(15),
  WATCH_NAMESPACE: z.string().default(''),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  HTTP_PORT: z.coerce.number().int().min(0).max(65535).default(8080),
});

export type Settings = {
  images: Images;
  pod: { namespace: string; name: string };
  leaseName: string;
  /** The time after which another operator takes over from one that is gone. */
  leaseDurationSeconds: number;
  /** Undefined: all namespaces. */
  watchNamespace: string | undefined;
  logLevel: string;
  httpPort: number;
};

/**
 * The operator's settings from its environment, as the chart writes it.
 * @throws {Error} naming every variable that is missing or wrong
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const result = environment.safeParse(env);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`the environment is not usable: ${faults.join('; ')}; the chart sets these`);
  }
  const { data } = result;
  return {
    images: {
      workers: data.IMAGE_WORKERS,
      spark: data.IMAGE_SPARK,
      postgres: data.IMAGE_POSTGRES,
      cassandra: data.IMAGE_CASSANDRA,
      registry: data.IMAGE_REGISTRY,
    },
    pod: { namespace: data.POD_NAMESPACE, name: data.POD_NAME },
    leaseName: data.LEASE_NAME,
    leaseDurationSeconds: data.LEASE_DURATION_SECONDS,
    watchNamespace: data.WATCH_NAMESPACE || undefined,
    logLevel: data.LOG_LEVEL,
    httpPort: data.HTTP_PORT,
  };
}

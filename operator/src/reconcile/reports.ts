import type { V1Pod } from '@kubernetes/client-node';
import { type Report, report } from '../status/reports.ts';
import type { Cluster } from './cluster.ts';

const PORT = 8080;
const TIMEOUT_MS = 1_500;

/** The components that answer at /readyz. */
const REPORTING = ['provision', 'ingest', 'relay', 'spark', 'audit'];

/** What one pod says of itself; undefined where it doesn't answer, which its pod's own state then explains. */
async function podReport(pod: V1Pod): Promise<Report | undefined> {
  const address = pod.status?.podIP;
  if (!address || pod.status?.phase !== 'Running' || pod.metadata?.deletionTimestamp) return undefined;
  const host = address.includes(':') ? `[${address}]` : address;
  try {
    const response = await fetch(`http://${host}:${PORT}/readyz`, {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return report.parse(await response.json());
  } catch {
    return undefined;
  }
}

/** Spark's executors bear the labels of the driver, which speaks for them. */
function speaks({ metadata }: V1Pod): boolean {
  return metadata?.labels?.['spark-role'] !== 'executor';
}

/** What the workers of a pipeline, or some of them, say of themselves, asked all at once. */
export async function readReports(cluster: Cluster, components = REPORTING): Promise<Report[]> {
  const pods = (await Promise.all(components.map((component) => cluster.pods(component)))).flat();
  const reports = await Promise.all(pods.filter(speaks).map(podReport));
  return reports.filter((each) => each !== undefined);
}

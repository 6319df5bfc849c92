import type { V1Pod } from '@kubernetes/client-node';
import { type Report, report } from '../status/reports.ts';
import type { Cluster } from './cluster.ts';

const PORT = 8080;
const TIMEOUT_MS = 1_500;

/** The components that answer at /readyz. */
const REPORTING = ['provision', 'ingest', 'relay', 'spark'];

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

/** What the workers of a pipeline say of themselves, asked one and all at once. */
export async function readReports(cluster: Cluster): Promise<Report[]> {
  const pods = (await Promise.all(REPORTING.map((component) => cluster.pods(component)))).flat();
  const reports = await Promise.all(pods.map(podReport));
  return reports.filter((each) => each !== undefined);
}

import type { V1Pod } from '@kubernetes/client-node';
import { REPORT_PORT, type Report, report, unreachable } from '../status/reports.ts';
import { isReady } from '../status/workloads.ts';
import type { Cluster } from './cluster.ts';

const TIMEOUT_MS = 1_500;

/** The components that answer at /readyz. */
const REPORTING = ['provision', 'ingest', 'relay', 'spark', 'audit'];

/** Where a pod is asked; undefined where there is nobody to ask, which its own state then explains. */
function addressOf({ metadata, status }: V1Pod, port: number): string | undefined {
  const address = status?.podIP;
  if (!address || status?.phase !== 'Running' || metadata?.deletionTimestamp) return undefined;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/readyz`;
}

/** What one pod says of itself; undefined where it doesn't answer. */
async function podReport(address: string): Promise<Report | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(address, { redirect: 'error', signal });
    return report.parse(await response.json());
  } catch {
    return undefined;
  }
}

const nameOf = ({ metadata }: V1Pod) => metadata?.name ?? '';

/** What pods say of themselves, or that none of those that are ready can be asked: one alone may be busy. */
export async function reportsOf(pods: V1Pod[], port = REPORT_PORT): Promise<Report[]> {
  const sorted = pods.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const asked = sorted.flatMap((pod) => {
    const address = addressOf(pod, port);
    return address ? [{ address, ready: isReady(pod) }] : [];
  });
  const answers = await Promise.all(asked.map(({ address }) => podReport(address)));
  const reports = answers.filter((each) => each !== undefined);
  const [first, ...more] = asked.filter(({ ready }) => ready);
  return first && reports.length === 0 ? [unreachable(first.address, 1 + more.length)] : reports;
}

/** Spark's executors bear the labels of the driver, which speaks for them. */
function speaks({ metadata }: V1Pod): boolean {
  return metadata?.labels?.['spark-role'] !== 'executor';
}

/** What the workers of a pipeline say of themselves, asked all at once. */
export async function readReports(cluster: Cluster): Promise<Report[]> {
  const pods = (await Promise.all(REPORTING.map((component) => cluster.pods(component)))).flat();
  return await reportsOf(pods.filter(speaks));
}

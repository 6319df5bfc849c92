// `npm run erase -- PIPELINE ID [NAMESPACE]`: deletes a user everywhere and prints what was proved of every store. Works on
// the cluster of `npm run up`, and where there is none on the one that kubectl is set to.
import type { V1Job } from '@kubernetes/client-node';
import { cacheDir } from '../cluster/cache.ts';
import { findCluster } from '../cluster/cluster.ts';
import { clusterName, exitWith, main } from '../cluster/command.ts';
import { findKind } from '../cluster/kind.ts';
import { type RunOptions, run } from '../cluster/run.ts';
import { waitFor } from '../cluster/wait.ts';
import { eraseJob, newest } from './job.ts';

type Kubectl = (args: string[], options?: RunOptions) => Promise<string>;

const START_S = 300;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function findKubectl(): Promise<Kubectl> {
  const name = clusterName(process.env);
  const cluster = (await findCluster(name)) ?? (await findKind(name, cacheDir(process.env)));
  return (args, options = {}) => {
    const line = cluster?.command('kubectl', args) ?? { command: 'kubectl', args, env: process.env };
    return run(line.command, line.args, { ...options, env: line.env });
  };
}

async function provisionJob(kubectl: Kubectl, pipeline: string): Promise<V1Job> {
  const selector = `app.kubernetes.io/instance=${pipeline},app.kubernetes.io/component=provision`;
  const { items } = JSON.parse(await kubectl(['get', 'jobs', '--selector', selector, '--output', 'json']));
  return newest(items) ?? exitWith([`There is no pipeline ${pipeline} here that was provisioned.`]);
}

/** Waits until the Job's pod has begun: before that it has no log to follow. */
async function untilBegun(kubectl: Kubectl, job: string): Promise<void> {
  const selector = `batch.kubernetes.io/job-name=${job.replace(/^job.batch\//, '')}`;
  const phase = () =>
    kubectl(['get', 'pods', '--selector', selector, '--output=jsonpath={.items[*].status.phase}']);
  const begun = async () => /Running|Succeeded|Failed/.test(await phase());
  const explain = () => kubectl(['describe', 'pods', '--selector', selector]);
  await waitFor(`the pod of ${job} to begin`, begun, { seconds: START_S, explain });
}

/** What the worker says: its log is a JSON object a line, its proof is plain text. */
function show(line: string): void {
  if (line.startsWith('{')) console.error(JSON.parse(line).msg);
  else console.log(line);
}

await main(async () => {
  const [pipeline, id, namespace = 'default'] = process.argv.slice(2);
  if (!pipeline || !id || !UUID.test(id))
    exitWith(['npm run erase -- PIPELINE ID [NAMESPACE]; the id is a UUID']);
  const anywhere = await findKubectl();
  const kubectl: Kubectl = (args, options) => anywhere(['--namespace', namespace, ...args], options);
  const job = eraseJob(
    { namespace, name: pipeline },
    await provisionJob(kubectl, pipeline),
    id.toLowerCase(),
  );
  const name = (
    await kubectl(['create', '--filename=-', '--output=name'], { input: JSON.stringify(job) })
  ).trim();
  console.error(`${name} runs in namespace ${namespace}; it goes on where this command is interrupted`);
  await untilBegun(kubectl, name);
  await kubectl(['logs', '--follow', name], { onLine: show });
  await kubectl(['wait', name, '--for=condition=Complete', '--timeout=30s']);
});

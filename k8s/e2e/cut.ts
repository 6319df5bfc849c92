import { execFileSync } from 'node:child_process';
import type { V1Pod } from '@kubernetes/client-node';
import { networkOf } from './processes.ts';

/**
 * Cuts the network between two pods on this machine: what one sends to the other vanishes, without a word of it.
 * @returns what mends it
 */
export function cut(one: V1Pod, other: V1Pod): () => void {
  const ways: [from: V1Pod, to: V1Pod][] = [
    [one, other],
    [other, one],
  ];
  for (const [from, to] of ways) route('add', from, to);
  return () => {
    for (const [from, to] of ways) route('del', from, to);
  };
}

function route(verb: 'add' | 'del', { metadata }: V1Pod, { status }: V1Pod): void {
  const pid = networkOf(metadata?.uid ?? '');
  // Its network went with it.
  if (pid === undefined && verb === 'del') return;
  const inPod = ['--target', String(pid), '--net', 'ip', 'route', verb, 'blackhole', `${status?.podIP}/32`];
  execFileSync('nsenter', inPod, { stdio: 'pipe' });
}

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { loadKubeConfig } from '../src/kube/client.ts';
import type { ApiServer } from './apiserver.ts';

/** A wire between a client and the API server that a test can cut. */
export type Wire = {
  config: KubeConfig;
  /** Ends all connections; new ones are refused until `mend`. */
  cut(): void;
  /** Keeps connections open but lets nothing more through them, until `mend` ends them. */
  stall(): void;
  mend(): void;
  close(): Promise<void>;
};

/** A TCP proxy to the API server, on a free port. */
export async function startProxy(api: ApiServer): Promise<Wire> {
  const target = Number(new URL(api.url).port);
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'stalled' = 'open';
  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    const far = connect(target, '127.0.0.1');
    join(near, far);
    if (state === 'open') near.pipe(far).pipe(near);
  });
  const join = (near: Socket, far: Socket) => {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  };
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    config: configFor(api, `https://127.0.0.1:${address.port}`),
    cut() {
      state = 'cut';
      endAll();
    },
    stall() {
      state = 'stalled';
      for (const socket of sockets) socket.unpipe();
    },
    mend() {
      state = 'open';
      endAll();
    },
    async close() {
      endAll();
      await once(server.close(), 'close');
    },
  };
}

function configFor(api: ApiServer, url: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(loadKubeConfig(api.kubeconfig).exportConfig().replaceAll(api.url, url));
  return config;
}

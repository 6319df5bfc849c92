import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What is wrong, in one line each; empty means well. */
export type Check = () => string[];

export type HealthServer = { port: number; close(): Promise<void> };

/** Serves /healthz, /readyz (200, or 503 with what is wrong) and /metrics. Port 0 takes a free one. */
export async function serveHealth(options: {
  healthz: Check;
  readyz: Check;
  registry: Registry;
  port: number;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.replace(/\?.*/, '');
    if (path === '/healthz') answerCheck(response, options.healthz());
    else if (path === '/readyz') answerCheck(response, options.readyz());
    else if (path === '/metrics') void answerMetrics(response, options.registry);
    else answer(response, 404, 'text/plain', 'known: /healthz /readyz /metrics\n');
  });
  server.listen(options.port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answerCheck(response: ServerResponse, problems: string[]): void {
  const body = problems.length ? problems.join('\n') : 'ok';
  answer(response, problems.length ? 503 : 200, 'text/plain', `${body}\n`);
}

async function answerMetrics(response: ServerResponse, registry: Registry): Promise<void> {
  try {
    answer(response, 200, registry.contentType, await registry.metrics());
  } catch (error) {
    answer(response, 500, 'text/plain', `${error}\n`);
  }
}

function answer(response: ServerResponse, code: number, contentType: string, body: string): void {
  response.writeHead(code, { 'content-type': contentType }).end(body);
}

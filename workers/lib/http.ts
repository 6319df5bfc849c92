import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Health } from './health.ts';

export type HttpServer = { port: number; close(): Promise<void> };

/**
 * Serves `/healthz` (200 as long as the event loop answers), `/readyz` (200 or 503 with the worker's status)
 * and `/metrics` (Prometheus text). Port 0 takes a free one; the port taken is in the answer.
 */
export function serveHttp(health: Health, registry: Registry, port: number): Promise<HttpServer> {
  return listen((request, response) => {
    void answer(request.url ?? '/', response, health, registry);
  }, port);
}

/** Starts an HTTP server; `close` lets answers under way finish for a moment, then cuts them. */
export async function listen(listener: RequestListener, port: number): Promise<HttpServer> {
  const server = createServer(listener);
  server.listen(port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      const cut = setTimeout(() => server.closeAllConnections(), 2000);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Answers with `body` as JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

async function answer(url: string, response: ServerResponse, health: Health, registry: Registry) {
  const path = url.split('?')[0];
  if (path === '/healthz') return sendJson(response, 200, { alive: true });
  if (path === '/readyz') return sendJson(response, health.snapshot().ready ? 200 : 503, health.snapshot());
  if (path !== '/metrics') return sendJson(response, 404, { error: 'try /healthz, /readyz or /metrics' });
  try {
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  } catch (error) {
    sendJson(response, 500, { error: String(error) });
  }
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type TestProxy = {
  port: number;
  /** From now on nothing that clients say reaches the server; what the server says still reaches them. */
  muteClients(): void;
  /** The server gets the next chunk with `text` in it, and its answer is lost with the connection. */
  loseAnswerTo(text: string): void;
  close(): Promise<void>;
};

/** A TCP proxy on loopback to `target`, for faults of the network between a client and a real server. */
export async function startProxy(target: { host: string; port: number }): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  let muted = false;
  let lose: string | undefined;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let lost = false;
    upstream.on('data', (chunk) => (lost ? client.destroy() : client.write(chunk)));
    client.on('data', (chunk) => {
      if (lose !== undefined && chunk.includes(lose)) [lost, lose] = [true, undefined];
      if (!muted) upstream.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    muteClients: () => {
      muted = true;
    },
    loseAnswerTo: (text) => {
      lose = text;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer, type PSKCallbackNegotation, type TLSSocket } from 'node:tls';
import { freePort } from '../test/wait.ts';
import { resettingSockets } from './kafka-sockets.ts';

/** More than the kernel keeps of what nobody reads. */
const WRITTEN = 64 * 2 ** 20;

// A key that both sides know, instead of certificates.
const psk = Buffer.alloc(16, 1);
const secret = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
const tlsServer = () => createTlsServer({ ...secret, pskCallback: () => psk });
const tlsClient = {
  ...secret,
  pskCallback: (): PSKCallbackNegotation => ({ psk, identity: 'test' }),
  checkServerIdentity: () => undefined,
};
const plain = undefined as never;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('a socket to Kafka', () => {
  const kinds: [kind: string, server: () => Server, event: string, ssl: typeof tlsClient][] = [
    ['plain', createServer, 'connection', plain],
    ['TLS', tlsServer, 'secureConnection', tlsClient],
  ];
  for (const [kind, create, event, ssl] of kinds) {
    test(`over ${kind} delivers nothing more once it was ended`, async () => {
      const server = create();
      const accepted = once(server, event) as Promise<[Socket | TLSSocket]>;
      const port = await listening(server);
      const connected = Promise.withResolvers<void>();
      const client = resettingSockets({ host: '127.0.0.1', port, ssl, onConnect: connected.resolve });
      const [peer] = await accepted;
      await connected.promise;
      peer.pause();
      client.write(Buffer.alloc(WRITTEN));
      client.end();
      let received = 0;
      peer.on('data', (chunk) => {
        received += chunk.length;
      });
      const failure = once(peer, 'error');
      peer.resume();
      assert.equal(((await failure)[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
      assert.ok(received < WRITTEN, 'all of it was delivered');
      server.close();
    });

    test(`over ${kind} says that nobody listens`, async () => {
      const port = await freePort();
      const client = resettingSockets({ host: '127.0.0.1', port, ssl, onConnect: () => {} });
      const [error] = await once(client, 'error');
      assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
      client.end();
    });

    test(`over ${kind} may be ended before it is connected`, async () => {
      const server = create();
      const port = await listening(server);
      const client = resettingSockets({ host: '127.0.0.1', port, ssl, onConnect: assert.fail });
      client.end();
      await once(client, 'close');
      server.close();
    });
  }
});

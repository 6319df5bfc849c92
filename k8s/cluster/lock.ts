import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process holds the lock of that name, waiting for its turn; `onWait` is told once.
 * The lock is a socket in Linux's abstract namespace: it leaves no file, and the kernel frees it when its holder dies.
 */
export async function withLock<T>(
  name: string,
  work: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  let server = await tryLock(name);
  if (!server) onWait();
  while (!server) {
    await sleep(200);
    server = await tryLock(name);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

function tryLock(name: string): Promise<Server | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  const server = createServer((socket) => socket.destroy());
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
  );
  const short = createHash('sha256').update(name).digest('hex'); // such a socket's name has 107 bytes at most
  server.listen(`\0userstream:${short}`, () => resolve(server));
  return promise;
}

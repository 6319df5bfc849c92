import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TemporaryDirectory = { path: string; remove(): Promise<void> };

/**
 * A directory that is removed by `remove`, and also when this process dies in whatever way: a shell waits on a pipe that
 * only this process holds open. (It removes twice: servers in it need a moment to see that they have been left.)
 */
export async function temporaryDirectory(name: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `userstream-${name}-`));
  const script = 'read -r _; rm -rf "$1"; sleep 2; rm -rf "$1"';
  const keeper = spawn('sh', ['-c', script, 'sh', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  (keeper.stdin as Socket).unref();
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      keeper.stdin.destroy();
    },
  };
}

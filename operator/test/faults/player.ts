import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 300;

/** Plays a controller: does `turn` again and again until it is stopped, whatever a turn fails with. */
export function startPlayer(turn: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false;
  const play = async () => {
    while (!stopped) {
      await turn().catch(() => {});
      await sleep(POLL_MS);
    }
  };
  const playing = play();
  return {
    async stop() {
      stopped = true;
      await playing;
    },
  };
}

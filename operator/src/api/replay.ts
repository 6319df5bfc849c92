import { z } from 'zod';

/** The annotation of a pipeline that asks for its stream once more, from an earlier place on. */
export const REPLAY_ANNOTATION = 'userstream.dev/replay-from';

/** From what was published at a moment, in milliseconds since 1970, or at an offset of each partition that is named. */
export type ReplayFrom = { timeMs: number } | { offsets: Record<string, number> };

const moment = z.iso
  .datetime({ offset: true })
  .transform((text) => ({ timeMs: Date.parse(text) }))
  .refine(({ timeMs }) => timeMs >= 0);

const offsets = z
  .record(z.string().regex(/^(0|[1-9]\d{0,5})$/), z.int().min(0).max(Number.MAX_SAFE_INTEGER))
  .refine((found) => Object.keys(found).length > 0)
  .transform((found) => ({ offsets: found }));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function understood(text: string): ReplayFrom | undefined {
  if (text === 'earliest') return { timeMs: 0 };
  return moment.safeParse(text).data ?? offsets.safeParse(parsed(text)).data;
}

/** What a pipeline's annotations ask for, or what is wrong with that; neither where they ask for nothing. */
export function replayOf(annotations: Record<string, string>): { from?: ReplayFrom; fault?: string } {
  const text = annotations[REPLAY_ANNOTATION];
  if (text === undefined) return {};
  const from = understood(text);
  if (from) return { from };
  return {
    fault: `metadata.annotations["${REPLAY_ANNOTATION}"] is ${JSON.stringify(text.slice(0, 100))}: it must be earliest, a time as 2026-11-23T18:00:00Z, or an offset a partition as {"0": 1200}; until then the stream goes on from where it stands`,
  };
}

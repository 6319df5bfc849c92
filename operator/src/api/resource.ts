import { z } from 'zod';
import type { PipelineKey } from './names.ts';
import { type PipelineSpec, pipelineSpec } from './pipeline.ts';

/** A UserStreamPipeline as the builders take it: checked, every default in its place. */
export type Pipeline = PipelineKey & {
  uid: string;
  /** In ISO 8601. */
  creationTimestamp: string;
  generation: number;
  annotations: Record<string, string>;
  spec: PipelineSpec;
};

/** What of a pipeline has the named parts of its spec. */
export type SpecOf<Part extends keyof PipelineSpec> = { spec: Pick<PipelineSpec, Part> };

const resource = z.object({
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    uid: z.string(),
    creationTimestamp: z.string(),
    generation: z.int(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: pipelineSpec,
});

/**
 * A pipeline from what the API server holds.
 * @throws {z.ZodError} where an object stored under an older schema no longer fits.
 */
export function parsePipeline(object: unknown): Pipeline {
  const { metadata, spec } = resource.parse(object);
  return { ...metadata, spec };
}

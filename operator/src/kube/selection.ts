import type { KubeObject } from './object.ts';

/** Which objects of a kind, and what of them. */
export type Selection = {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Of each object only its metadata. */
  metadataOnly?: boolean;
};

/** Whether an object is surely among what is selected; `key=value` is all that is understood of a label selector. */
export function selects({ namespace, labelSelector }: Selection, { metadata }: KubeObject): boolean {
  const terms = labelSelector?.split(',') ?? [];
  const bears = (term: string) => {
    const [key = '', value] = term.split('=');
    return value !== undefined && metadata.labels?.[key] === value;
  };
  return (namespace === undefined || namespace === metadata.namespace) && terms.every(bears);
}

/** What to ask for instead of whole objects, where only their metadata is wanted. */
export function accept(suffix: 'List' | '', { metadataOnly }: Selection): { accept?: string } {
  if (!metadataOnly) return {};
  return { accept: `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1` };
}

/** The query of a request for what is selected, beside the request's own. */
export function selectionQuery(selection: Selection, query: Record<string, string>): URLSearchParams {
  const { labelSelector, fieldSelector } = selection;
  return new URLSearchParams({
    ...query,
    ...(labelSelector ? { labelSelector } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
  });
}

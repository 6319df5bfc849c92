/** Which objects of a kind, and what of them. */
export type Selection = {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Of each object only its metadata. */
  metadataOnly?: boolean;
};

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

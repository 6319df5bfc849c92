/** An object whose controller says which generation of it it has seen. */
export type Observed = {
  metadata?: { generation?: number };
  status?: { observedGeneration?: number };
};

/** Whether its controller has seen an object as it stands. */
export const isObserved = ({ metadata, status }: Observed): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);

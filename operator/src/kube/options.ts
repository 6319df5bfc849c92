/** What must be true of an object for a write to be done; else it is refused as a Conflict. */
export type Preconditions = { uid?: string; resourceVersion?: string };

/** No object ever has this version, which etcd's counter starts with: such an apply creates, or is refused. */
export const CREATE_ONLY: Preconditions = { resourceVersion: '1' };

/** What a write asks of an object that it was decided on: that it is the very one, and as it was read. */
export function asKnown({ metadata }: { metadata?: Preconditions }): Preconditions {
  return { uid: metadata?.uid ?? '', resourceVersion: metadata?.resourceVersion ?? '' };
}

export type ApplyOptions = {
  fieldManager: string;
  /** Take fields over from other managers; true unless said otherwise, as a controller must. */
  force?: boolean;
  subresource?: string;
  preconditions?: Preconditions;
};

export type DeleteOptions = {
  preconditions?: Preconditions;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
};

export type ListPage<T> = { items: T[]; resourceVersion: string; continue?: string };
